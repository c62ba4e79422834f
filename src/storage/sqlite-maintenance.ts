import type { Database as SqliteDatabase } from "bun:sqlite";
import { closeSync, fstatSync, fsync, openSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { isSqliteFlushFault, sqliteCode, storageUnavailable } from "./errors.ts";
import { createPrivateFile, syncDirectoryOf } from "./sqlite-file.ts";
import { SqliteThread } from "./sqlite-thread.ts";

/** Commits between two looks at the size of the WAL. */
const COMMITS_BETWEEN = 64;
/** Pages: from here on the WAL is copied into the database. */
const THRESHOLD = 4_000;
/** Bytes that one page of 4,096 takes in the WAL. */
const FRAME = 4_120;
/** Pages: a WAL that has grown this long is emptied while writers wait. */
const LIMIT = 16_000;

/** What maintenance needs of the scheduler. */
export interface WriterControl {
  /** No transaction begins until `action` has ended. */
  pauseWhile(action: () => Promise<unknown>): Promise<void>;
  /** A flush failed, and nobody knows any more what the disk holds. */
  fail(cause: unknown): void;
}

const flushFile = promisify(fsync);

/** Checkpoints and copies of a database file, made by a thread so that the loop never waits for the disk. */
export class SqliteMaintenance {
  readonly #file: string;
  readonly #writer: SqliteDatabase;
  readonly #control: WriterControl;
  #thread: SqliteThread | undefined;
  readonly #wal: number;
  #commits = 0;
  #walSize = 0;
  #checkpointing = false;
  #closed = false;

  /**
   * @param wal descriptor of the WAL
   */
  constructor(file: string, wal: number, writer: SqliteDatabase, control: WriterControl) {
    this.#file = resolve(file);
    this.#wal = wal;
    this.#writer = writer;
    this.#control = control;
  }

  committed(): void {
    this.#commits++;
    if (this.#checkpointing || this.#closed) return;
    // A WAL that is used again from its start does not grow, so its size alone would not tell; nor would the commits, as
    // one of them may be large.
    const { size } = fstatSync(this.#wal);
    if (this.#commits < COMMITS_BETWEEN && size < this.#walSize + THRESHOLD * FRAME) return;
    this.#walSize = size;
    this.#commits = 0;
    this.#checkpointing = true;
    this.#checkpoint()
      .catch((error) => {
        // Busy is no fault: another process copies at this moment. A full disk neither: the WAL keeps what it has.
        if (isSqliteFlushFault(error) || sqliteCode(error)?.startsWith("SQLITE_IOERR")) this.#control.fail(error);
      })
      .finally(() => {
        this.#checkpointing = false;
        if (!this.#closed) this.#walSize = Math.min(this.#walSize, fstatSync(this.#wal).size);
      });
  }

  async #checkpoint(): Promise<void> {
    const thread = this.#startThread();
    try {
      const checkpoint = (mode: "PASSIVE" | "TRUNCATE") =>
        thread.run({ kind: "checkpoint", mode, threshold: THRESHOLD });
      if ((await checkpoint("PASSIVE")) < LIMIT) return;
      // Under unbroken writing a passive copy never meets the end, and the WAL would not be used again from its start. What
      // is left for this one is what came during the passive one.
      await this.#control.pauseWhile(() => checkpoint("TRUNCATE"));
    } catch (error) {
      if (!thread.ended || this.#closed || this.#writer.inTransaction) throw error;
      // Without a thread the copy is made here: the loop waits, but the WAL does not grow for ever.
      this.#writer.run("PRAGMA wal_checkpoint(PASSIVE)");
    }
  }

  /** A consistent copy, flushed, readable by the owner alone. @throws Error when `target` exists */
  async backup(target: string): Promise<void> {
    if (this.#closed) throw storageUnavailable(new Error("the storage is closed or failed"));
    const thread = this.#startThread();
    await copyInto(target, async (file) => void (await thread.run({ kind: "backup", target: file })));
  }

  /** Finishes what runs. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread?.close();
  }

  /** Ends at once: no copy may be made any more. */
  abort(): void {
    this.#closed = true;
    this.#thread?.end();
  }

  #startThread(): SqliteThread {
    if (!this.#thread || this.#thread.ended) this.#thread = new SqliteThread(this.#file);
    return this.#thread;
  }
}

/** Prepares the target of a copy, runs it and makes it durable; removes what a failed copy left. */
export async function copyInto(target: string, copy: (file: string) => Promise<void>): Promise<void> {
  const file = resolve(target);
  createPrivateFile(file);
  try {
    await copy(file);
    const descriptor = openSync(file, "r");
    try {
      await flushFile(descriptor);
    } finally {
      closeSync(descriptor);
    }
    syncDirectoryOf(file);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  }
}
