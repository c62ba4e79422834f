import { type CommandContext, textFlag } from "./command.ts";

/** Variables that `serve` needs as `init` had them, and whether the value is a secret. */
const VARIABLES: readonly [name: string, isSecret: boolean][] = [
  ["SALLYPORT_MASTER_KEY_FILE", false],
  ["SALLYPORT_MASTER_KEY", true],
  ["SALLYPORT_DATABASE_URL_FILE", false],
  ["SALLYPORT_DATABASE_URL", true],
  ["SALLYPORT_CONFIG", false],
];
/** Flags that only `init` takes, and those that the line names by itself. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set(["json", "new-master-key", "data", "public-url"]);

/**
 * Returns the whole line that starts the server on what `init` has made, with every variable and flag that `init` had. A
 * secret is named and not shown.
 * @param masterKeyFile the file that `init` has just made
 */
export function nextLine(
  context: CommandContext,
  options: { masterKeyFile: string | undefined; dataDirectory: string | null; publicUrl: string },
): string {
  const env = { ...context.env };
  if (options.masterKeyFile !== undefined) env.SALLYPORT_MASTER_KEY_FILE = options.masterKeyFile;
  const variables = VARIABLES.flatMap(([name, isSecret]) => {
    const value = env[name];
    if (!value) return [];
    return [isSecret ? `${name}="$${name}"` : `${name}=${quoted(value)}`];
  });
  const flags = Object.keys(context.flags)
    .filter((name) => !NOT_PASSED_ON.has(name))
    .flatMap((name) => {
      const value = textFlag(context, name);
      return value === undefined ? [] : [`--${name}`, quoted(value)];
    });
  return [
    ...variables,
    context.command,
    "serve",
    ...(options.dataDirectory === null ? [] : ["--data", quoted(options.dataDirectory)]),
    "--public-url",
    quoted(options.publicUrl),
    ...flags,
  ].join(" ");
}

/** Quotes a word for a POSIX shell if it needs quotes. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
