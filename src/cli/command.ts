import { parseArgs } from "node:util";
import { envName, flagName, type Setting, type Settings } from "../core/config.ts";
import { storageSettings } from "../storage/settings.ts";

/** Is passed to every command. */
export interface CommandContext {
  /** The words that start this program again, such as `npx sallyport`. */
  command: string;
  /** Positional arguments after the words of the command. */
  positionals: readonly string[];
  /** Flags of this command, by name without dashes: `public-url`. */
  flags: Readonly<Record<string, string | boolean | string[] | undefined>>;
  env: Readonly<Record<string, string | undefined>>;
  /** Variables with our prefix that describe a service of the cluster. They are not in `env`. */
  foreignVariables: readonly string[];
  /** Prints one line to standard output. */
  print(line: string): void;
  /** Prints one line to standard error. */
  warn(line: string): void;
}

export interface CommandFlag {
  type: "string" | "boolean";
  /** Whether the flag may be repeated. */
  multiple?: true;
  /** The placeholder for its value in the help. */
  value?: string;
  doc: string;
}

/** A command. Each command has its own file. */
export interface Command {
  /** `app create`. */
  name: string;
  summary: string;
  /** The rest of the usage line after the name, such as `FILE`. `[ID]` is optional. */
  arguments?: string;
  /** More text for `--help`. */
  description?: string;
  flags: Readonly<Record<string, CommandFlag>>;
  /** Settings that this command also takes as flags. */
  settings?: Settings;
  examples?: readonly string[];
  /** @returns the exit code */
  run(context: CommandContext): Promise<number>;
}

/** Says that a command was called wrongly or cannot work in this state. The message is a sentence with the fix. */
export class CommandError extends Error {
  override name: string = "CommandError";
}

/** Says that a command was called wrongly: exit code 2. The message is a sentence with the fix. */
export class UsageError extends CommandError {
  override name = "UsageError";
}

export const dataFlag: CommandFlag = {
  type: "string",
  value: "DIR",
  doc: "Data directory (SALLYPORT_DATA; default ./sallyport-data).",
};
export const configFlag: CommandFlag = {
  type: "string",
  value: "FILE",
  doc: "Configuration file in TOML (SALLYPORT_CONFIG; default DIR/sallyport.toml if it exists).",
};
export const jsonFlag: CommandFlag = { type: "boolean", doc: "Print one line of JSON instead of text." };

interface Option {
  type: "string" | "boolean";
  multiple?: boolean;
  short?: string;
}

/** @throws UsageError for unknown flags, missing values and unexpected arguments */
export function parseFlags(command: Command, args: string[]): Pick<CommandContext, "flags" | "positionals"> {
  const options: Record<string, Option> = { help: { type: "boolean", short: "h" } };
  for (const [name, flag] of Object.entries(command.flags)) {
    options[name] = { type: flag.type, ...(flag.multiple ? { multiple: true } : {}) };
  }
  for (const [key, { secret }] of Object.entries(settingsOf(command))) {
    if (!secret) options[flagName(key).slice(2)] = { type: "string" };
    else refuseSecret(key, args);
  }
  const help = `\`sallyport ${command.name} --help\` lists its arguments and flags.`;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: true });
    const wanted = command.arguments?.split(" ") ?? [];
    const needed = wanted.filter((word) => !word.startsWith("[")).length;
    if (!values.help && (positionals.length < needed || positionals.length > wanted.length)) {
      const what =
        positionals.length < needed ? `needs ${command.arguments}` : `does not take ${positionals[wanted.length]}`;
      throw new UsageError(`\`sallyport ${command.name}\` ${what}. ${help}`);
    }
    return { flags: values as CommandContext["flags"], positionals };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const message = (error as Error).message.split(". To specify")[0]?.replace(/\.$/, "");
    throw new UsageError(`${message}. ${help}`);
  }
}

/** Refuses a secret as a flag, because every user of a machine can read the arguments of its processes. */
function refuseSecret(key: string, args: readonly string[]): void {
  const flag = flagName(key);
  if (!args.some((arg) => arg === flag || arg.startsWith(`${flag}=`))) return;
  throw new UsageError(
    `${flag} would show a secret to every user of this machine. Set ${envName(key)}_FILE or ${envName(key)} instead.`,
  );
}

/** Every command that opens the data takes the flags of the database, because the driver may matter to each. */
function settingsOf(command: Command): Settings {
  return command.settings ?? (command.flags.data ? storageSettings : {});
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
  const settings: [string, string][] = Object.entries(settingsOf(command)).map(([key, setting]) => [
    setting.secret ? `${envName(key)}_FILE` : flagName(key),
    `${setting.doc} (${setting.secret ? `or ${envName(key)}; no flag takes a secret` : envName(key)}${defaultOf(setting)})`,
  ]);
  if (settings.length > 0) {
    lines.push("", "Settings: default < configuration file < environment variable < flag", ...table(settings));
  }
  if (command.examples) lines.push("", "Examples", ...command.examples.map((example) => `  ${example}`));
  return lines.join("\n");
}

export function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

function defaultOf(setting: Setting): string {
  const { data } = setting.schema.safeParse(undefined);
  const shown = setting.shownDefault ?? (typeof data === "string" || typeof data === "number" ? String(data) : "");
  return shown === "" ? "" : `; default ${shown}`;
}

/** Returns the text of a flag, or undefined if the flag is absent. @throws UsageError if the text is empty */
export function textFlag(context: CommandContext, name: string): string | undefined {
  const value = context.flags[name];
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value === "") throw new UsageError(`--${name} needs a value.`);
  return value;
}

/** Returns the argument at `index`, which {@link parseFlags} has counted. @throws UsageError if it is empty */
export function argument(context: CommandContext, index: number, name: string): string {
  const value = context.positionals[index];
  if (!value) throw new UsageError(`${name} must not be empty.`);
  return value;
}

/** Returns seconds from `900`, `15m`, `12h` or `30d`. @throws UsageError */
export function durationFlag(context: CommandContext, name: string): number | undefined {
  const text = textFlag(context, name);
  if (text === undefined) return undefined;
  const match = /^(\d{1,9})([smhd]?)$/.exec(text);
  if (!match) throw new UsageError(`--${name} takes seconds, or a number with s, m, h or d, such as 15m.`);
  const unit = { s: 1, m: 60, h: 3_600, d: 86_400 }[match[2] || "s"] ?? 1;
  return Number(match[1]) * unit;
}

/** A list that may be given by several flags, by commas, or emptied by one empty value; undefined without the flag. */
export function listFlag(context: CommandContext, name: string): string[] | undefined {
  const value = context.flags[name];
  if (!Array.isArray(value)) return undefined;
  return value
    .flatMap((entry) => entry.split(","))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}
