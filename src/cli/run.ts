import { ConfigError } from "../core/config.ts";
import { AppError } from "../core/errors.ts";
import { MasterKeyMismatch } from "../identity/keys/data-keys.ts";
import { type Command, CommandError, helpOf, parseFlags, table } from "./command.ts";
import { dev } from "./dev.ts";
import { init } from "./init.ts";
import { serve } from "./serve.ts";
import { version } from "./version.ts";

const commands: readonly Command[] = [dev, init, serve, version];

/** Runs the command that the arguments name. @returns the exit code: 0, 1 for what went wrong, 2 for how it was called */
export async function run(args: string[], env: Record<string, string | undefined>): Promise<number> {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const warn = (line: string) => process.stderr.write(`${line}\n`);
  const command = find(args);
  if (!command) return overview(args, print, warn);
  try {
    const rest = args.slice(command.name.split(" ").length);
    const { flags, positionals } = parseFlags(command, rest);
    if (flags.help) {
      print(helpOf(command));
      return 0;
    }
    return await command.run({ flags, positionals, env, print, warn });
  } catch (error) {
    return explain(error, warn);
  }
}

function find(args: string[]): Command | undefined {
  const two = args.slice(0, 2).join(" ");
  return commands.find((command) => command.name === two) ?? commands.find((command) => command.name === args[0]);
}

function overview(args: string[], print: (line: string) => void, warn: (line: string) => void): number {
  const lines = [
    "Sallyport: an authentication appliance in one file.",
    "",
    ...table(commands.map((command) => [command.name, command.summary] as const)),
    "",
    "`sallyport COMMAND --help` tells more.",
  ];
  const asked = args.length === 0 || args[0] === "help" || args[0] === "--help" || args[0] === "-h";
  if (asked) {
    print(lines.join("\n"));
    return 0;
  }
  if (args[0] === "--version") {
    print(lines[0] ?? "");
    return 0;
  }
  warn(`There is no command \`${args.join(" ")}\`.\n\n${lines.join("\n")}`);
  return 2;
}

function explain(error: unknown, warn: (line: string) => void): number {
  if (error instanceof CommandError || error instanceof ConfigError || error instanceof MasterKeyMismatch) {
    warn(error.message);
    return 1;
  }
  if (error instanceof AppError) {
    const fields = Array.isArray(error.details) ? error.details.map(({ path, reason }) => `${path} ${reason}`) : [];
    warn(fields.length > 0 ? `${fields.join("; ")}.` : error.message);
    return 1;
  }
  warn(error instanceof Error ? error.message : String(error));
  return 1;
}
