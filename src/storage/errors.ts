import { AppError } from "../core/errors.ts";

/** The readable part of the drivers' errors: SQLite's `code`, Bun.SQL's `errno`, pg's `code`. */
interface DriverError {
  code?: unknown;
  errno?: unknown;
  constraint?: unknown;
  message?: unknown;
}

function driverError(error: unknown): DriverError {
  return typeof error === "object" && error !== null ? error : {};
}

/** Returns the five characters of PostgreSQL's SQLSTATE, wherever the driver keeps them. */
export function sqlState(error: unknown): string | undefined {
  const { code, errno } = driverError(error);
  for (const value of [errno, code]) if (typeof value === "string" && /^[0-9A-Z]{5}$/.test(value)) return value;
  return undefined;
}

/** Returns SQLite's extended result code by name: `SQLITE_FULL`, `SQLITE_IOERR_WRITE`, … */
export function sqliteCode(error: unknown): string | undefined {
  const { code } = driverError(error);
  return typeof code === "string" && code.startsWith("SQLITE_") ? code : undefined;
}

/**
 * Tells whether a unique index or primary key refused the row, on either database.
 * @param hint tells two constraints of the same statement apart. Pass a column's name, which works on both: SQLite names
 * `table.column`, and PostgreSQL names the constraint
 */
export function isUniqueViolation(error: unknown, hint?: string): boolean {
  const code = sqliteCode(error);
  const unique = code === "SQLITE_CONSTRAINT_UNIQUE" || code === "SQLITE_CONSTRAINT_PRIMARYKEY";
  if (!unique && sqlState(error) !== "23505") return false;
  if (hint === undefined) return true;
  const { message, constraint } = driverError(error);
  const detail = typeof error === "object" && error !== null && "detail" in error ? error.detail : "";
  return [message, constraint, detail].some((text) => typeof text === "string" && text.includes(hint));
}

/** Full, read-only or failing storage under SQLite. The machine is at fault, and the statement is not. */
export function isSqliteStorageFault(error: unknown): boolean {
  const code = sqliteCode(error);
  return code !== undefined && /^SQLITE_(FULL|READONLY|IOERR|CANTOPEN|CORRUPT|NOTADB|PROTOCOL|BUSY|LOCKED)/.test(code);
}

/**
 * After a failed flush the kernel may drop the pages that it could not write, and report success for the next flush. No
 * later flush proves anything, so the writer must stop.
 */
export function isSqliteFlushFault(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === "SQLITE_IOERR_FSYNC" || code === "SQLITE_IOERR_DIR_FSYNC";
}

/** A lost or refused connection, or a server that is starting, stopping or out of room. */
export function isPostgresUnavailable(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return /^(08|53|57P|58|25006|25P03)/.test(state) || isPostgresTimeout(error);
  const { code, message } = driverError(error);
  if (typeof code === "string") {
    return /^(ERR_POSTGRES_(CONNECTION|IDLE|LIFETIME)|ECONN|EPIPE|ENOTFOUND|ENOENT|ETIMEDOUT|EHOST)/.test(code);
  }
  return (
    typeof message === "string" &&
    /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying|Client was closed)/.test(
      message,
    )
  );
}

/** A statement that the server has cancelled, because it took too long. Its connection still works. */
export function isPostgresTimeout(error: unknown): boolean {
  return sqlState(error) === "57014";
}

/** A serialization failure or a deadlock: the same work may succeed at the next attempt. */
export function isPostgresRetryable(error: unknown): boolean {
  const state = sqlState(error);
  return state === "40001" || state === "40P01";
}

/**
 * `outcome_unknown`: the transaction was handed over, and no answer tells whether it will survive. "Nothing was changed"
 * would be a lie whenever the disk or the database did keep it.
 */
export function outcomeUnknown(cause: unknown): AppError {
  return new AppError("outcome_unknown", { retryAfter: 1, cause });
}

export function isOutcomeUnknown(error: unknown): boolean {
  return error instanceof AppError && error.code === "outcome_unknown";
}

/** Returns a short name for the cause of `storage_unavailable`, the same for all refusals by one fault. */
export function faultOf(cause: unknown): string {
  const { code } = driverError(cause);
  return sqliteCode(cause) ?? sqlState(cause) ?? (typeof code === "string" ? code : "storage");
}

/** Returns the message of a cause without its stack, which says nothing about a full disk or a lost connection. */
export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** `storage_unavailable`; the cause goes to the log only. */
export function storageUnavailable(cause: unknown): AppError {
  return new AppError("storage_unavailable", { retryAfter: 1, cause });
}
