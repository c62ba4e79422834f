import { AppError } from "../core/errors.ts";
import { isPostgresUnavailable, sqliteCode, sqlState } from "../storage/errors.ts";

/** Turns an error into a sentence with the fix, for a person at a terminal. Never shows a stack or a secret. */
export function explain(error: unknown): string {
  if (error instanceof AppError) {
    if (error.code === "storage_unavailable" && error.cause !== undefined) return explain(error.cause);
    if (error.code === "outcome_unknown" && error.cause !== undefined) {
      return `${explain(error.cause)} The change may have been kept: check before you run the command again.`;
    }
    const fields = Array.isArray(error.details) ? error.details.map(({ path, reason }) => `${path} ${reason}`) : [];
    return fields.length > 0 ? `${fields.join("; ")}.` : error.message;
  }
  return explainStorage(error) ?? (error instanceof Error ? error.message : String(error));
}

/** @returns undefined unless the machine or the database is at fault */
function explainStorage(error: unknown): string | undefined {
  const code = sqliteCode(error) ?? (error as { code?: unknown } | null)?.code;
  if (sqlState(error) === undefined && typeof code === "string") {
    const said = SENTENCES.find(([pattern]) => pattern.test(code));
    if (said) return `${said[1]} (${code}).`;
  }
  if (!isPostgresUnavailable(error) && !/^(28|3D)/.test(sqlState(error) ?? "")) return undefined;
  const detail = error instanceof Error ? error.message : String(error);
  return `PostgreSQL cannot be used: ${detail.replace(/\.$/, "")}. Check that it runs, and check SALLYPORT_DATABASE_URL.`;
}

const SENTENCES: readonly [RegExp, string][] = [
  // SQLITE_IOERR_SHMSIZE: SQLite cannot grow the index of its log.
  [
    /^(SQLITE_FULL|SQLITE_IOERR_SHMSIZE|ENOSPC|EDQUOT)/,
    "The disk of the data directory is full: free some space and try again",
  ],
  [
    /^(SQLITE_READONLY|EROFS)/,
    "The data directory is not writable: mount it for writing, and make the user of this process its owner",
  ],
  [
    /^(SQLITE_CANTOPEN|SQLITE_PERM|EACCES|EPERM)/,
    "A file cannot be opened: make the user of this process the owner of the data directory and its files",
  ],
  [/^SQLITE_NOTADB/, "sallyport.db is not a database: restore a backup into an empty directory"],
  [/^SQLITE_CORRUPT/, "The database is damaged: restore a backup into an empty directory"],
  [
    /^(SQLITE_BUSY|SQLITE_LOCKED)/,
    "Another process holds the lock of the database: try again when that process is done",
  ],
  [/^(SQLITE_IOERR|EIO)/, "The disk of the data directory is failing: check the machine's log before you continue"],
];
