import type { Database as SqliteDatabase } from "bun:sqlite";
import {
  isOutcomeUnknown,
  isSqliteFlushFault,
  isSqliteStorageFault,
  outcomeUnknown,
  sqliteCode,
  storageUnavailable,
} from "./errors.ts";
import { type SqliteConnection, SqliteExecutor } from "./sqlite-executor.ts";
import type { Executor, StorageStats } from "./storage.ts";
import type { Durability } from "./wal-sync.ts";

/** Keeps a commit short for the requests that wait behind it. */
const MAX_BATCH = 512;
/** Milliseconds to wait for another process's write lock. */
const BUSY_PATIENCE = 5_000;
const BUSY_PAUSE = 2;

type Work = (tx: Executor) => Promise<unknown>;
type Outcome = { value: unknown } | { error: unknown };

interface Job {
  readonly work: Work;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  outcome?: Outcome;
}

/** An open transaction: its jobs, the job at work, and the first fault of the storage. */
interface Batch {
  readonly jobs: Job[];
  fault: unknown;
  current: Job | undefined;
  /** The job that waited for something outside the transaction. Only this job gets that error. */
  stray: Job | undefined;
}

/**
 * Owns BEGIN and COMMIT on the one connection that writes. The writes of one loop turn share a transaction, and each has a
 * savepoint. They are answered after the flush that follows the commit; meanwhile the next batch commits. After an error
 * that leaves doubt the scheduler rejects the whole batch. It neither guesses nor retries.
 */
export class WriteScheduler {
  readonly #connection: SqliteConnection;
  readonly #database: SqliteDatabase;
  readonly #durability: Durability;
  readonly #committed: () => void;
  readonly #stats: StorageStats = { writes: 0, commits: 0, failedCommits: 0, isFailed: false, isDamaged: false };
  #queue: Job[] = [];
  #running = false;
  #unsettled = 0;
  #idle: (() => void)[] = [];
  #broken: { cause: unknown } | undefined;
  #onBroken: (cause: unknown) => void = () => undefined;
  #closing = false;
  #pause: Promise<unknown> | undefined;

  /** @param committed runs after each commit, outside of any transaction */
  constructor(connection: SqliteConnection, durability: Durability, committed: () => void = () => undefined) {
    this.#connection = connection;
    this.#database = connection.database;
    this.#durability = durability;
    this.#committed = committed;
  }

  write<T>(work: (tx: Executor) => Promise<T>): Promise<T> {
    if (this.#closing) return Promise.reject(storageUnavailable(new Error("the storage is closing")));
    if (this.#broken) return Promise.reject(storageUnavailable(this.#broken.cause));
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve: resolve as (value: unknown) => void, reject });
      this.#unsettled++;
      if (this.#running) return;
      this.#running = true;
      setImmediate(() => void this.#drain());
    });
  }

  stats(): StorageStats {
    return { ...this.#stats };
  }

  /** Refuses every write from now on: the contents of the disk are in doubt, and only a restart reads them again. */
  fail(cause: unknown): void {
    if (this.#broken) return;
    this.#broken = { cause };
    this.#stats.isFailed = true;
    if (!this.#running) this.#retire();
  }

  /** Runs `action` once after {@link fail}, when no transaction is open. */
  onFailure(action: (cause: unknown) => void): void {
    this.#onBroken = action;
  }

  /** Lets no transaction begin until `action` has ended. Writes wait meanwhile. */
  async pauseWhile(action: () => Promise<unknown>): Promise<void> {
    const running = action();
    this.#pause = running.catch(() => undefined);
    try {
      await running;
    } finally {
      this.#pause = undefined;
    }
  }

  /** Accepts no more writes, and resolves when all accepted writes are answered. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#unsettled > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      if (this.#pause) await this.#pause;
      await this.#runBatch(this.#queue.splice(0, MAX_BATCH));
      // Other work of the event loop comes first: reads, sockets, and the flush that answers the last batch.
      if (this.#queue.length > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#running = false;
    if (this.#broken) this.#retire();
  }

  #retire(): void {
    const action = this.#onBroken;
    this.#onBroken = () => undefined;
    action(this.#broken?.cause);
  }

  async #runBatch(jobs: Job[]): Promise<void> {
    const batch: Batch = { jobs, fault: undefined, current: undefined, stray: undefined };
    try {
      if (this.#broken) throw this.#broken.cause;
      await this.#begin();
      await this.#runJobs(batch);
      this.#commit();
    } catch (error) {
      this.#stats.failedCommits++;
      this.#abandon(batch, error);
      return;
    }
    this.#stats.commits++;
    // Refusals wait for the flush too, because they may depend on an earlier write of the batch.
    this.#durability.flush().then(
      () => this.#settle(jobs),
      (error) => {
        this.#stats.failedCommits++;
        this.fail(error);
        // The batch is committed, readable and perhaps on the disk. Only a restart can tell.
        this.#reject(jobs, outcomeUnknown(error));
      },
    );
    this.#committed();
  }

  async #begin(): Promise<void> {
    const deadline = performance.now() + BUSY_PATIENCE;
    for (;;) {
      try {
        this.#database.run("BEGIN IMMEDIATE");
        return;
      } catch (error) {
        if (!sqliteCode(error)?.startsWith("SQLITE_BUSY") || performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE));
      }
    }
  }

  /** Everything between BEGIN and COMMIT runs in one turn of the loop, unless a job waits for something outside it. */
  async #runJobs(batch: Batch): Promise<void> {
    let turn: NodeJS.Immediate | undefined;
    const strayed = new Promise<never>((_, reject) => {
      turn = setImmediate(() => {
        const culprit = new Error(
          "A write waited for something other than its own statements (a nested write, a timer, hashing, the network). " +
            "Nothing was kept.",
        );
        batch.stray = batch.current;
        reject(culprit);
      });
    });
    try {
      for (const job of batch.jobs) await this.#runJob(batch, job, strayed);
    } finally {
      clearImmediate(turn);
      batch.current = undefined;
    }
  }

  async #runJob(batch: Batch, job: Job, strayed: Promise<never>): Promise<void> {
    batch.current = job;
    this.#database.run("SAVEPOINT job");
    const executor = new SqliteExecutor(this.#connection, {
      before: () => {
        if (batch.current !== job) throw new Error("this transaction is over: a statement came after its write ended");
      },
      failed: (error) => {
        if (isSqliteStorageFault(error)) batch.fault ??= error;
      },
    });
    let outcome: Outcome;
    try {
      const settled = job.work(executor).then(
        (value): Outcome => ({ value }),
        (error): Outcome => ({ error }),
      );
      outcome = await Promise.race([settled, strayed]);
    } catch (error) {
      if (batch.stray) throw error;
      outcome = { error };
    }
    batch.current = undefined;
    if (batch.fault !== undefined) throw batch.fault;
    // SQLite may have rolled back the whole transaction by itself. The next savepoint would then begin a new transaction.
    if (!this.#database.inTransaction) throw "error" in outcome ? outcome.error : new Error("the transaction is gone");
    if ("error" in outcome) this.#database.run("ROLLBACK TO job");
    this.#database.run("RELEASE job");
    job.outcome = outcome;
  }

  #commit(): void {
    try {
      this.#database.run("COMMIT");
    } catch (error) {
      if (!sqliteCode(error)?.startsWith("SQLITE_IOERR")) throw error;
      this.fail(error);
      // The WAL may hold the commit. Recovery after a restart decides.
      throw outcomeUnknown(error);
    }
  }

  #abandon(batch: Batch, error: unknown): void {
    batch.current = undefined;
    if (isSqliteFlushFault(error)) this.fail(error);
    try {
      if (this.#database.inTransaction) this.#database.run("ROLLBACK");
    } catch (rollbackError) {
      // If a transaction cannot end, every later batch would join it.
      this.fail(rollbackError);
    }
    this.#reject(batch.jobs, error, batch.stray);
  }

  #settle(jobs: Job[]): void {
    for (const { outcome, resolve, reject } of jobs) {
      if (outcome && "value" in outcome) {
        this.#stats.writes++;
        resolve(outcome.value);
      } else reject(outcome?.error);
    }
    this.#answered(jobs.length);
  }

  /** Rejects refusals too: they may depend on a row of the same batch that was not kept. */
  #reject(jobs: Job[], cause: unknown, stray?: Job): void {
    const reason = isOutcomeUnknown(cause) ? cause : storageUnavailable(cause);
    for (const job of jobs) job.reject(job === stray ? cause : reason);
    this.#answered(jobs.length);
  }

  #answered(count: number): void {
    this.#unsettled -= count;
    if (this.#unsettled > 0) return;
    for (const resolve of this.#idle) resolve();
    this.#idle = [];
  }
}
