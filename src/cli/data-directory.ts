import { accessSync, constants, existsSync, mkdirSync, readdirSync, realpathSync, rmdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { CommandError } from "./command.ts";

export function databaseFile(dataDirectory: string): string {
  return join(dataDirectory, "sallyport.db");
}

/**
 * Makes a directory that only its owner may enter; one that is there stays as it is.
 * @returns removes what was made here, if it is empty
 * @throws CommandError when it cannot be made
 */
export function makeDataDirectory(directory: string): () => void {
  let first: string | undefined;
  try {
    first = mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" || code === "ENOTDIR")
      throw new CommandError(`${directory} is no directory. Name another with --data.`);
    throw new CommandError(`${directory} cannot be made (${code}). Name a place where you may write with --data.`);
  }
  return () => {
    if (first === undefined) return;
    for (let path = directory; path.startsWith(first); path = dirname(path)) {
      if (!existsSync(path) || readdirSync(path).length > 0) return;
      rmdirSync(path);
    }
  };
}

/** Who else may look into the directory, as a sentence with the fix; undefined when nobody may. */
export function looseDirectory(directory: string): string | undefined {
  const { mode, uid } = statSync(directory);
  const self = process.getuid?.();
  if ((mode & 0o077) !== 0) {
    const shown = (mode & 0o777).toString(8).padStart(4, "0");
    return `${directory} is open to others (mode ${shown}). Close it: chmod 700 ${directory}`;
  }
  if (self !== undefined && self !== 0 && uid !== self) {
    return `${directory} belongs to another user (${uid}). Give it to the user that runs Sallyport: chown ${self} ${directory}`;
  }
  return undefined;
}

/** SQLite keeps its log beside the database. @throws CommandError when it could not */
export function requireWritable(directory: string): void {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new CommandError(
      `${directory} cannot be written to (${(error as NodeJS.ErrnoException).code}): mount it for writing, and let the ` +
        "user of this process own it.",
    );
  }
}

/** Whether `file` lies in `directory`, by whatever links either is reached. */
export function liesIn(file: string, directory: string): boolean {
  const real = realPath(file);
  const within = realPath(directory);
  return real === within || real.startsWith(`${within}/`);
}

/** The path without links, as far as it exists. */
function realPath(path: string): string {
  const full = resolve(path);
  try {
    return realpathSync(full);
  } catch {
    const parent = dirname(full);
    return parent === full ? full : join(realPath(parent), full.slice(parent.length));
  }
}
