import type { Compilable, Kysely } from "kysely";
import type { Database } from "./schema.ts";

/**
 * The one door to the data. SQLite (embedded) and PostgreSQL stand behind the same interface; nothing outside this folder
 * knows which one it is.
 */
export interface Storage {
  readonly dialect: "sqlite" | "postgres";
  /** Reads of committed data. On SQLite a read-only connection of its own: a running write is not seen. */
  readonly read: Executor;
  /**
   * The only way to write. Resolves after the transaction is durable; rejects when nothing of it was kept. `work` awaits
   * its transaction and nothing else (no hashing, no network): on SQLite the writes of one loop turn share a commit.
   * @throws AppError `storage_unavailable` when the disk is full, read-only or gone, and nothing was kept;
   * `outcome_unknown` when the commit was handed over and its flush or its answer was lost
   */
  write<T>(work: (tx: Executor) => Promise<T>): Promise<T>;
  /** Consistent copy of all acknowledged writes into `file` (SQLite only); the appliance goes on meanwhile. */
  backup(file: string): Promise<void>;
  /** Reads and a write that touches nothing: for /readyz. @throws when the storage cannot serve */
  probe(): Promise<void>;
  /**
   * Calls the listener once, when a flush or a commit has failed: nobody knows what the disk holds, every later write is
   * refused, and only a new process reads the disk anew. PostgreSQL recovers by itself and never calls it.
   */
  onFailure(listener: (cause: unknown) => void): void;
  /** Counters for /metrics. */
  stats(): StorageStats;
  /** Finishes what is queued, then closes. */
  close(): Promise<void>;
}

export interface StorageStats {
  writes: number;
  commits: number;
  failedCommits: number;
  /** Whether writes are over until a restart: see {@link Storage.onFailure}. */
  isFailed: boolean;
}

/** A connection to run statements on: the reader, or one transaction. */
export interface Executor {
  /** For statements that are not hot, and for those whose shape depends on the input. */
  readonly kysely: Kysely<Database>;
  /** Runs a prepared statement and answers its rows. */
  all<P extends Params, R>(statement: Prepared<P, R>, params: P): Promise<R[]>;
  /** Runs a prepared statement and answers its first row. */
  first<P extends Params, R>(statement: Prepared<P, R>, params: P): Promise<R | undefined>;
}

export type Value = string | number | Uint8Array | null;
export type Params = Readonly<Record<string, Value>>;

/** A statement that is built by Kysely once for each dialect and kept: nothing is built on the hot path. */
export interface Prepared<P extends Params, R> {
  readonly build: (db: Kysely<Database>, param: Param<P>) => Compilable<R>;
}

/** Stands for the value of a parameter while a statement is built. */
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
