import { accessSync, constants, existsSync, mkdirSync, readdirSync, realpathSync, rmdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { CommandError } from "./command.ts";

export function databaseFile(dataDirectory: string): string {
  return join(dataDirectory, "sallyport.db");
}

/**
 * Creates a directory that only its owner may enter. Leaves an existing directory as it is.
 * @returns a function that removes the directories created here if they are empty
 * @throws CommandError if the directory cannot be created
 */
export function makeDataDirectory(directory: string): () => void {
  let first: string | undefined;
  try {
    first = mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" || code === "ENOTDIR")
      throw new CommandError(`${directory} is not a directory. Name another with --data.`);
    throw new CommandError(
      `${directory} cannot be created (${code}). Use --data to name a place that you can write to.`,
    );
  }
  return () => {
    if (first === undefined) return;
    for (let path = directory; path.startsWith(first); path = dirname(path)) {
      if (!existsSync(path) || readdirSync(path).length > 0) return;
      rmdirSync(path);
    }
  };
}

/** Returns a sentence with the fix if other users can read the directory, else undefined. */
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

/** Checks that SQLite can create its log beside the database. @throws CommandError if it cannot */
export function requireWritable(directory: string): void {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new CommandError(
      `${directory} is not writable (${(error as NodeJS.ErrnoException).code}). Mount it for writing, and let the ` +
        "user of this process own it.",
    );
  }
}

/** Returns whether `file` lies in `directory`, after following all links of both paths. */
export function liesIn(file: string, directory: string): boolean {
  const real = realPath(file);
  const within = realPath(directory);
  return real === within || real.startsWith(`${within}/`);
}

/** Resolves the links of the part of the path that exists. */
function realPath(path: string): string {
  const full = resolve(path);
  try {
    return realpathSync(full);
  } catch {
    const parent = dirname(full);
    return parent === full ? full : join(realPath(parent), full.slice(parent.length));
  }
}
