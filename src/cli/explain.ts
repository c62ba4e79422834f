import { AppError } from "../core/errors.ts";
import { isPostgresUnavailable, sqliteCode, sqlState } from "../storage/errors.ts";

/** What a person at a terminal reads of an error: a sentence that says the fix. Never a stack, never a secret. */
export function explain(error: unknown): string {
  if (error instanceof AppError) {
    if (error.code === "storage_unavailable" && error.cause !== undefined) return explain(error.cause);
    if (error.code === "outcome_unknown" && error.cause !== undefined) {
      return `${explain(error.cause)} It is not known whether the change was kept: look before you run the command again.`;
    }
    const fields = Array.isArray(error.details) ? error.details.map(({ path, reason }) => `${path} ${reason}`) : [];
    return fields.length > 0 ? `${fields.join("; ")}.` : error.message;
  }
  return explainStorage(error) ?? (error instanceof Error ? error.message : String(error));
}

/** @returns undefined for what is no fault of the machine or of the database */
function explainStorage(error: unknown): string | undefined {
  const code = sqliteCode(error) ?? (error as { code?: unknown } | null)?.code;
  if (sqlState(error) === undefined && typeof code === "string") {
    const said = SENTENCES.find(([pattern]) => pattern.test(code));
    if (said) return `${said[1]} (${code}).`;
  }
  if (!isPostgresUnavailable(error) && !/^(28|3D)/.test(sqlState(error) ?? "")) return undefined;
  const detail = error instanceof Error ? error.message : String(error);
  return `PostgreSQL cannot be used: ${detail.replace(/\.$/, "")}. Check that it runs, and SALLYPORT_DATABASE_URL.`;
}

const SENTENCES: readonly [RegExp, string][] = [
  // SHMSIZE: the index of SQLite's log cannot grow.
  [
    /^(SQLITE_FULL|SQLITE_IOERR_SHMSIZE|ENOSPC|EDQUOT)/,
    "The disk of the data directory is full: free some space and try again",
  ],
  [
    /^(SQLITE_READONLY|EROFS)/,
    "The data directory cannot be written to: mount it for writing, and let the user of this process own it",
  ],
  [
    /^(SQLITE_CANTOPEN|SQLITE_PERM|EACCES|EPERM)/,
    "A file cannot be opened: let the user of this process own the data directory and what is in it",
  ],
  [/^SQLITE_NOTADB/, "sallyport.db is no database: restore a backup into an empty directory"],
  [/^SQLITE_CORRUPT/, "The database is damaged: restore a backup into an empty directory"],
  [/^(SQLITE_BUSY|SQLITE_LOCKED)/, "Another process keeps the database locked: try again when it is done"],
  [/^(SQLITE_IOERR|EIO)/, "The disk of the data directory fails: look at the machine's log before you go on"],
];
