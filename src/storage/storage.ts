import type { Compilable, Kysely } from "kysely";
import type { Database } from "./schema.ts";

/**
 * The only way to the data. SQLite (embedded) and PostgreSQL have the same interface, and no code outside this folder
 * depends on which of them is in use.
 */
export interface Storage {
  readonly dialect: "sqlite" | "postgres";
  /** Reads committed data. On SQLite it has its own read-only connection, which does not see a running write. */
  readonly read: Executor;
  /**
   * The only way to write. Resolves once the transaction is known to be durable, and rejects otherwise. `work` awaits only its
   * own statements (no hashing, no network), because on SQLite the writes of one loop turn share a commit.
   * @throws AppError `storage_unavailable` when the disk is full, read-only or gone, and nothing was kept;
   * `outcome_unknown` when the commit was handed over, and its flush or its answer was lost
   */
  write<T>(work: (tx: Executor) => Promise<T>): Promise<T>;
  /** Copies all acknowledged writes consistently into `file` (SQLite only), while the appliance goes on. */
  backup(file: string): Promise<void>;
  /**
   * Looks for damage (SQLite only), in a thread that answers no request. Later probes fail if it finds any.
   * @throws Error with `code` SQLITE_CORRUPT
   */
  check(): Promise<void>;
  /** Reads, and writes a row that means nothing, for /readyz. @throws when the storage cannot serve */
  probe(): Promise<void>;
  /**
   * Calls the listener once after a failed flush or commit. The contents of the disk are then unknown: every later write is
   * refused, and only a new process reads the disk again. PostgreSQL recovers by itself and never calls it.
   */
  onFailure(listener: (cause: unknown) => void): void;
  /** Counters for /metrics. */
  stats(): StorageStats;
  /** Finishes the queued writes, then closes. */
  close(): Promise<void>;
}

export interface StorageStats {
  writes: number;
  commits: number;
  failedCommits: number;
  /** Whether all writes are refused until a restart: see {@link Storage.onFailure}. */
  isFailed: boolean;
  /** Whether {@link Storage.check} has found damage. */
  isDamaged: boolean;
}

/** Runs statements: on the reader, or in one transaction. */
export interface Executor {
  /** For statements off the hot path, and for those whose shape depends on the input. */
  readonly kysely: Kysely<Database>;
  /** Runs a prepared statement and returns its rows. */
  all<P extends Params, R>(statement: Prepared<P, R>, params: P): Promise<R[]>;
  /** Runs a prepared statement and returns its first row. */
  first<P extends Params, R>(statement: Prepared<P, R>, params: P): Promise<R | undefined>;
  /**
   * Runs a prepared statement of a write whose rows nobody reads. PostgreSQL answers it together with the next statement, which
   * saves a round trip. If it fails, the whole write fails.
   */
  later<P extends Params, R>(statement: Prepared<P, R>, params: P): void;
  /**
   * Runs a prepared statement like {@link later}, but as one of the last of its write. It is for rows that many writes share: on
   * PostgreSQL a row stays locked from its statement to the end of the write, and every other write waits for it.
   */
  atEnd<P extends Params, R>(statement: Prepared<P, R>, params: P): void;
}

export type Value = string | number | Uint8Array | null;
export type Params = Readonly<Record<string, Value>>;

/** A statement that Kysely builds once for each dialect, so that the hot path builds nothing. */
export interface Prepared<P extends Params, R> {
  readonly build: (db: Kysely<Database>, param: Param<P>) => Compilable<R>;
}

/** Takes the place of a parameter's value while a statement is built. */
export type Param<P extends Params> = <K extends keyof P>(name: K) => P[K];

/**
 * Declares a statement: `prepared((db, p: Param<{ id: string }>) => db.selectFrom("users").selectAll().where("id", "=", p("id")))`.
 * The row type follows from the query.
 */
export function prepared<P extends Params, R>(
  build: (db: Kysely<Database>, param: Param<P>) => Compilable<R>,
): Prepared<P, R> {
  return { build };
}
