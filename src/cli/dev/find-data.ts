import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { type CommandContext, textFlag } from "../command.ts";
import { databaseFile } from "../data-directory.ts";
import { dataDirectoryOf } from "../instance.ts";
import { credentialsFile, devKeyFile } from "./files.ts";

/** Where `dev` keeps its data unless it is told. */
export const DEV_DIRECTORY = ".sallyport/dev";

/** Settings that say which instance is meant. Beside any of them nothing is guessed. */
const SAYS_WHICH = [
  "SALLYPORT_MASTER_KEY",
  "SALLYPORT_MASTER_KEY_FILE",
  "SALLYPORT_DATABASE_URL",
  "SALLYPORT_DATABASE_URL_FILE",
  "SALLYPORT_CONFIG",
  "CREDENTIALS_DIRECTORY",
];

/**
 * Lets a command in a second terminal work on the data of `dev` without a flag: those in this directory, or those that
 * `--data` names, with the key that `dev` made for them. It says so on standard error. Data for production are never
 * touched by this: a directory counts as `dev`'s only if the key and the credentials that `dev` writes lie beside it, and
 * `serve` and `init` do not look.
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

/** The flag that a command of a second terminal needs to find the data; empty where it finds them by itself. */
export function dataFlagFor(context: CommandContext, directory: string): string {
  const found =
    directory === resolve(DEV_DIRECTORY) && !existsSync(databaseFile(dataDirectoryOf(withoutData(context))));
  return found ? "" : ` --data ${quoted(shortPath(directory))}`;
}

function withoutData(context: CommandContext): CommandContext {
  const { data: _, ...flags } = context.flags;
  return { ...context, flags, env: { ...context.env, SALLYPORT_DATA: undefined } };
}

/** As a path below the current directory where it lies there, else whole. */
export function shortPath(directory: string): string {
  const path = relative(process.cwd(), directory);
  return path === "" || path.startsWith("..") ? directory : `./${path}`;
}

function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
