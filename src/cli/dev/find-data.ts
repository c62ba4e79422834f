import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { type CommandContext, textFlag } from "../command.ts";
import { databaseFile } from "../data-directory.ts";
import { dataDirectoryOf } from "../instance.ts";
import { credentialsFile, devKeyFile } from "./files.ts";

/** The default data directory of `dev`. */
export const DEV_DIRECTORY = ".sallyport/dev";

/** Settings that choose an instance. If any is set, the command does not look for data of `dev`. */
const SAYS_WHICH = [
  "SALLYPORT_MASTER_KEY",
  "SALLYPORT_MASTER_KEY_FILE",
  "SALLYPORT_DATABASE_URL",
  "SALLYPORT_DATABASE_URL_FILE",
  "SALLYPORT_CONFIG",
  "CREDENTIALS_DIRECTORY",
];

/**
 * Lets a command in a second terminal find the data of `dev` without a flag: in this directory, or in the directory that
 * `--data` names, with the key that `dev` made. Says so on standard error. Never touches production data: a directory
 * belongs to `dev` only if the key and the credentials file of `dev` lie beside it, and `serve` and `init` never look.
 */
export function withDevData(context: CommandContext): CommandContext {
  if (SAYS_WHICH.some((name) => context.env[name]) || context.flags.config !== undefined) return context;
  const named = textFlag(context, "data") ?? (context.env.SALLYPORT_DATA || undefined);
  if (named === undefined && existsSync(databaseFile(dataDirectoryOf(context)))) return context;
  const directory = resolve(named ?? DEV_DIRECTORY);
  if (!isDevData(directory)) return context;
  const key = devKeyFile(directory);
  context.warn(`Using the data of \`dev\` in ${shortPath(directory)}, with the key beside it.`);
  const { data: _, ...flags } = context.flags;
  return { ...context, flags, env: { ...context.env, SALLYPORT_DATA: directory, SALLYPORT_MASTER_KEY_FILE: key } };
}

function isDevData(directory: string): boolean {
  return [databaseFile, devKeyFile, credentialsFile].every((file) => existsSync(file(directory)));
}

/** Returns the flag that a command in a second terminal needs to find the data; empty if it needs none. */
export function dataFlagFor(context: CommandContext, directory: string): string {
  const found =
    directory === resolve(DEV_DIRECTORY) && !existsSync(databaseFile(dataDirectoryOf(withoutData(context))));
  return found ? "" : ` --data ${quoted(shortPath(directory))}`;
}

function withoutData(context: CommandContext): CommandContext {
  const { data: _, ...flags } = context.flags;
  return { ...context, flags, env: { ...context.env, SALLYPORT_DATA: undefined } };
}

/** Returns a relative path for a directory below the current one, else the whole path. */
export function shortPath(directory: string): string {
  const path = relative(process.cwd(), directory);
  return path === "" || path.startsWith("..") ? directory : `./${path}`;
}

function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
