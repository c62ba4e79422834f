import { Database } from "bun:sqlite";
import { sqliteCode } from "./errors.ts";
import { ensurePrivateFile } from "./sqlite-file.ts";

/**
 * Locks a file against other processes. The lock is SQLite's own exclusive lock on an empty database, because Bun has no
 * call for one: the system releases it when the process ends, however it ends.
 * @returns a function that releases the lock; null if another process holds it
 * @throws Error with SQLite's `code` if the file cannot be locked
 */
export function lockFile(file: string): (() => void) | null {
  ensurePrivateFile(file);
  const database = new Database(file, { readwrite: true, create: false });
  try {
    database.run("PRAGMA busy_timeout = 0");
    database.run("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (sqliteCode(error)?.startsWith("SQLITE_BUSY")) return null;
    throw error;
  }
  return () => database.close();
}
