import { Database as SqliteDatabase } from "bun:sqlite";
import { chmodSync, closeSync, existsSync, fsyncSync, mkdtempSync, openSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** Only the user of the process may read the appliance's files. */
const PRIVATE = 0o600;
const MAX_PREPARED = 1_000;

/**
 * Creates a private file, or makes an existing file private. Never opens an existing database: closing a descriptor of it
 * would drop the locks that SQLite holds on it in this process.
 */
export function ensurePrivateFile(file: string): void {
  if (existsSync(file)) {
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, PRIVATE);
    return;
  }
  createPrivateFile(file);
}

/** @throws Error with `code` EEXIST when the file exists */
export function createPrivateFile(file: string): void {
  closeSync(openSync(file, "wx", PRIVATE));
}

/** Makes the name of a new file survive a power cut. */
export function syncDirectoryOf(file: string): void {
  const descriptor = openSync(dirname(resolve(file)), "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Opens the connection that writes, in WAL mode and with full flushes. @throws Error unless the file is a database */
export function openWriter(file: string): SqliteDatabase {
  SqliteDatabase.MAX_QUERY_CACHE_SIZE = MAX_PREPARED;
  const database = new SqliteDatabase(file, { readwrite: true, create: false });
  database.run("PRAGMA busy_timeout = 5000");
  const mode = database.query<{ journal_mode: string }, []>("PRAGMA journal_mode = WAL").get();
  if (mode?.journal_mode !== "wal") {
    database.close();
    throw new Error(
      `The file system under ${file} cannot hold a write-ahead log: put the data directory on a local disk.`,
    );
  }
  database.run("PRAGMA synchronous = FULL");
  database.run("PRAGMA foreign_keys = ON");
  keepOutOfTemporaryFiles(database);
  // Opens the WAL and its index now, so that no other process can remove them from here on.
  database.query("SELECT count(*) FROM sqlite_schema").get();
  return database;
}

/** Opens a connection that only reads and that keeps the WAL open. */
export function openReader(file: string): SqliteDatabase {
  const database = new SqliteDatabase(file, { readonly: true });
  database.run("PRAGMA busy_timeout = 5000");
  keepOutOfTemporaryFiles(database);
  database.query("SELECT count(*) FROM sqlite_schema").get();
  return database;
}

/** Undo journals of statements and sorts stay in memory: a full or read-only /tmp would refuse writes, and the rows are secret. */
function keepOutOfTemporaryFiles(database: SqliteDatabase): void {
  database.run("PRAGMA temp_store = MEMORY");
}

/**
 * Calls `prepare` with a file whose name is gone once this returns. Connections opened on it behave like a database on disk
 * and leave nothing behind, however the process ends.
 */
export function openUnnamedPair<T>(prepare: (file: string) => T): T {
  const base = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const directory = mkdtempSync(join(base, "sallyport-"));
  try {
    const file = join(directory, "data.db");
    createPrivateFile(file);
    return prepare(file);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Looks for damage, as the maintenance thread does for larger files. @throws Error with `code` SQLITE_CORRUPT */
export function quickCheck(database: SqliteDatabase): void {
  const rows = database.query<{ quick_check: string }, []>("PRAGMA quick_check(3)").all();
  const verdict = rows.map((row) => row.quick_check).join("; ");
  if (verdict !== "ok") throw Object.assign(new Error(verdict), { code: "SQLITE_CORRUPT" });
}
