import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../core/clock.ts";
import { postgresColumns } from "./columns.ts";
import { StatementCompiler } from "./compile.ts";
import { writeProbe } from "./counters.ts";
import {
  isOutcomeUnknown,
  isPostgresRetryable,
  isPostgresTimeout,
  isPostgresUnavailable,
  outcomeUnknown,
} from "./errors.ts";
import { type AppliedRow, type BeforeUpgrade, type MigrationTarget, migrate, type RunStatement } from "./migrator.ts";
import { withDeadlines } from "./postgres-deadlines.ts";
import {
  PostgresExecutor,
  postgresDialect,
  type RunQuery,
  type Sending,
  translateUnavailable,
} from "./postgres-executor.ts";
import { BEGIN, type PostgresPool } from "./postgres-pool.ts";
import type { Executor, Storage, StorageStats } from "./storage.ts";

const ATTEMPTS = 5;
/** Names the lock that migrators of this program share. Any constant works that no other program uses. */
const MIGRATION_LOCK = 7_306_080_219;

/** Upgrades the schema and returns the storage, which owns the pool from then on. */
export async function openPostgresStorage(
  pool: PostgresPool,
  clock: Clock,
  beforeUpgrade?: BeforeUpgrade,
): Promise<Storage> {
  try {
    await migrate(postgresMigrationTarget(pool), clock, undefined, beforeUpgrade);
    return new PostgresStorage(withDeadlines(pool));
  } catch (error) {
    await pool.close();
    throw error;
  }
}

/** Returns the migrator's view of a PostgreSQL database. An advisory lock admits one node at a time. */
export function postgresMigrationTarget(pool: PostgresPool): MigrationTarget {
  return {
    columns: postgresColumns,
    placeholder: (n) => `$${n}`,
    exclusive: (work) =>
      transaction(pool, async (query) => {
        await query("SET LOCAL statement_timeout = 0", []);
        await query("SELECT pg_advisory_xact_lock($1::bigint)", [MIGRATION_LOCK]);
        const run: RunStatement = async (sql, params = []) =>
          (await query(sql, params)).rows as unknown as AppliedRow[];
        return work(run);
      }),
  };
}

/**
 * Runs one READ COMMITTED transaction on its own connection. BEGIN travels with the first statement, and COMMIT with the
 * statements that were sent for later, because each round trip costs more than the statements themselves.
 */
async function transaction<T>(pool: PostgresPool, work: (query: RunQuery, send: Sending) => Promise<T>): Promise<T> {
  const session = await pool.reserve();
  let over = false;
  let broken = false;
  let failure: { error: unknown } | undefined;
  const unanswered: Promise<unknown>[] = [];
  const query: RunQuery = (sql, params) => (over ? Promise.reject(isOver()) : session.query(sql, params));
  const send = (sql: string, params: readonly unknown[]) =>
    void unanswered.push(session.query(sql, params).catch((error: unknown) => (failure ??= { error })));
  const last: [sql: string, params: readonly unknown[]][] = [];
  const sending: Sending = {
    now: (sql, params) => {
      if (over) throw isOver();
      send(sql, params);
    },
    atEnd: (sql, params) => {
      if (over) throw isOver();
      last.push([sql, params]);
    },
  };
  const begun = session.query(BEGIN, []).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  try {
    const result = await work(query, sending);
    over = true;
    for (const [sql, params] of last) send(sql, params);
    // PostgreSQL answers COMMIT with ROLLBACK after a failed statement, even if the caller caught its error.
    const { command } = await session.query("COMMIT", []).catch((error: unknown) => {
      // The server may have committed before the connection broke. Only the next read can tell.
      throw isPostgresUnavailable(error) ? outcomeUnknown(error) : error;
    });
    const refused = await begun;
    // Without a transaction, each statement was committed by itself.
    if (refused) throw outcomeUnknown(refused.error);
    if (command !== "COMMIT") throw new Error("the transaction had a failed statement, so nothing was kept");
    return result;
  } catch (thrown) {
    over = true;
    await Promise.all(unanswered);
    // A statement that was sent earlier has made those after it fail.
    const error = isOutcomeUnknown(thrown) ? thrown : (failure?.error ?? thrown);
    broken = (isPostgresUnavailable(error) && !isPostgresTimeout(error)) || isOutcomeUnknown(error);
    if (!broken) {
      await session.query("ROLLBACK", []).catch(() => {
        broken = true;
      });
    }
    throw error;
  } finally {
    session.release(broken);
  }
}

const isOver = () => new Error("this transaction is over: a statement came after its write ended");

class PostgresStorage implements Storage {
  readonly dialect = "postgres";
  readonly read: Executor;
  readonly #pool: PostgresPool;
  readonly #compiler = new StatementCompiler(postgresDialect());
  readonly #stats: StorageStats = { writes: 0, commits: 0, failedCommits: 0, isFailed: false, isDamaged: false };
  readonly #inWrite = new AsyncLocalStorage<true>();
  readonly #running = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(pool: PostgresPool) {
    this.#pool = pool;
    const run: RunQuery = (sql, params) =>
      pool.query(sql, params).catch((error) => {
        throw translateUnavailable(error);
      });
    this.read = new PostgresExecutor(run, this.#compiler);
  }

  write<T>(work: (tx: Executor) => Promise<T>): Promise<T> {
    // A nested write waits for a second connection while it holds one. Enough of them at once would wait for ever.
    if (this.#inWrite.getStore()) {
      return Promise.reject(new Error("A write waited for something other than its own statements (a nested write)."));
    }
    if (this.#closed) return Promise.reject(translateUnavailable({ code: "08003", message: "the storage is closing" }));
    const writing = this.#inWrite.run(true, () => this.#write(work));
    this.#running.add(writing);
    const done = () => void this.#running.delete(writing);
    writing.then(done, done);
    return writing;
  }

  async backup(_file: string): Promise<void> {
    throw new Error("This program does not copy a PostgreSQL database. Use pg_dump.");
  }

  /** PostgreSQL watches its own files, and an operator checks them with pg_amcheck. */
  async check(): Promise<void> {}

  async probe(): Promise<void> {
    await this.write(writeProbe);
  }

  onFailure(): void {}

  stats(): StorageStats {
    return { ...this.#stats };
  }

  close(): Promise<void> {
    this.#closed ??= Promise.allSettled(this.#running).then(() => this.#pool.close());
    return this.#closed;
  }

  async #write<T>(work: (tx: Executor) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await transaction(this.#pool, (query, send) =>
          work(new PostgresExecutor(query, this.#compiler, send)),
        );
        this.#stats.writes++;
        this.#stats.commits++;
        return result;
      } catch (error) {
        if (attempt < ATTEMPTS && isPostgresRetryable(error)) continue;
        if (isPostgresUnavailable(error) || isOutcomeUnknown(error)) this.#stats.failedCommits++;
        throw translateUnavailable(error);
      }
    }
  }
}
