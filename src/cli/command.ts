import { parseArgs } from "node:util";
import { envName, flagName, type Settings } from "../core/config.ts";

/** What every command gets. */
export interface CommandContext {
  /** Positional arguments after the command's own words. */
  positionals: readonly string[];
  /** Flags of this command, by name without dashes: `public-url`. */
  flags: Readonly<Record<string, string | boolean | string[] | undefined>>;
  env: Readonly<Record<string, string | undefined>>;
  /** Prints one line to standard output. */
  print(line: string): void;
  /** Prints one line to standard error. */
  warn(line: string): void;
}

export interface Flag {
  type: "string" | "boolean";
  /** May be given several times. */
  multiple?: true;
  /** How its value is shown in the help. */
  value?: string;
  doc: string;
}

/** One command, one file. */
export interface Command {
  /** `app create`. */
  name: string;
  summary: string;
  /** What stands after the name in the usage line, such as `FILE`. */
  arguments?: string;
  /** More to read under `--help`. */
  description?: string;
  flags: Readonly<Record<string, Flag>>;
  /** Settings that this command takes as flags too. */
  settings?: Settings;
  examples?: readonly string[];
  /** @returns the exit code */
  run(context: CommandContext): Promise<number>;
}

/** A mistake in how a command was called, or a state that it cannot work in. The message is a sentence with the fix. */
export class CommandError extends Error {
  override name = "CommandError";
}

export const dataFlag: Flag = {
  type: "string",
  value: "DIR",
  doc: "Data directory (SALLYPORT_DATA; default ./sallyport-data).",
};
export const configFlag: Flag = {
  type: "string",
  value: "FILE",
  doc: "Configuration file in TOML (SALLYPORT_CONFIG; default DIR/sallyport.toml when it is there).",
};
export const jsonFlag: Flag = { type: "boolean", doc: "One line of JSON instead of text." };

/** @throws CommandError for unknown flags and missing values */
export function parseFlags(command: Command, args: string[]): Pick<CommandContext, "flags" | "positionals"> {
  const options: Record<string, { type: "string" | "boolean"; multiple?: boolean }> = { help: { type: "boolean" } };
  for (const [name, flag] of Object.entries(command.flags)) {
    options[name] = { type: flag.type, ...(flag.multiple ? { multiple: true } : {}) };
  }
  for (const key of Object.keys(command.settings ?? {})) options[flagName(key).slice(2)] = { type: "string" };
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: true });
    return { flags: values as CommandContext["flags"], positionals };
  } catch (error) {
    const message = (error as Error).message.split(". To specify")[0];
    throw new CommandError(`${message}. \`sallyport ${command.name} --help\` lists what it takes.`);
  }
}

export function helpOf(command: Command): string {
  const lines = [
    `sallyport ${command.name}${command.arguments ? ` ${command.arguments}` : ""} [flags]`,
    "",
    command.summary,
  ];
  if (command.description) lines.push("", command.description);
  const rows: [string, string][] = Object.entries(command.flags).map(([name, flag]) => [
    `--${name}${flag.value ? ` ${flag.value}` : ""}`,
    flag.doc,
  ]);
  if (rows.length > 0) lines.push("", "Flags", ...table(rows));
  const settings: [string, string][] = Object.entries(command.settings ?? {}).map(([key, setting]) => [
    flagName(key),
    `${setting.doc} (${envName(key)}${setting.secret ? ` or ${envName(key)}_FILE` : ""})`,
  ]);
  if (settings.length > 0)
    lines.push("", "Settings, also as environment variables and in the file", ...table(settings));
  if (command.examples) lines.push("", "Examples", ...command.examples.map((example) => `  ${example}`));
  return lines.join("\n");
}

export function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

/** A flag's text, or undefined. @throws CommandError when it stands there empty */
export function textFlag(context: CommandContext, name: string): string | undefined {
  const value = context.flags[name];
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value === "") throw new CommandError(`--${name} needs a value.`);
  return value;
}
