import type { Database as SqliteDatabase } from "bun:sqlite";
import { closeSync, fstatSync, fsync, openSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { isSqliteFlushFault, sqliteCode, storageUnavailable } from "./errors.ts";
import { createPrivateFile, syncDirectoryOf } from "./sqlite-file.ts";
import { SqliteThread } from "./sqlite-thread.ts";

/** Commits between two checks of the WAL's size. */
const COMMITS_BETWEEN = 64;
/** Pages: a WAL of this size is copied into the database. */
const THRESHOLD = 4_000;
/** Bytes that one page of 4,096 takes in the WAL. */
const FRAME = 4_120;
/** Pages: a WAL of this size is emptied while writers wait. */
const LIMIT = 16_000;

/** The scheduler, as maintenance needs it. */
export interface WriterControl {
  /** Lets no transaction begin until `action` has ended. */
  pauseWhile(action: () => Promise<unknown>): Promise<void>;
  /** Reports a failed flush: the contents of the disk are unknown from then on. */
  fail(cause: unknown): void;
}

const flushFile = promisify(fsync);

/** Makes checkpoints and copies of a database file in a thread, so that the event loop never waits for the disk. */
export class SqliteMaintenance {
  readonly #file: string;
  readonly #writer: SqliteDatabase;
  readonly #control: WriterControl;
  #thread: SqliteThread | undefined;
  readonly #wal: number;
  #commits = 0;
  #walSize = 0;
  #checkpointing = false;
  #checking = false;
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
    // A WAL that SQLite overwrites from its start does not grow, so its size alone is not enough. The number of commits
    // is not enough either, as a single commit may be large.
    const { size } = fstatSync(this.#wal);
    if (this.#commits < COMMITS_BETWEEN && size < this.#walSize + THRESHOLD * FRAME) return;
    this.#walSize = size;
    this.#commits = 0;
    this.#checkpointing = true;
    this.#checkpoint()
      .catch((error) => {
        // Busy is not a fault: another process is copying. Nor is a full disk: the WAL keeps its contents.
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
      // Under constant writing a passive copy never reaches the end, and SQLite would never reuse the WAL from its start.
      // This copy only has to move the pages that arrived during the passive copy.
      await this.#control.pauseWhile(() => checkpoint("TRUNCATE"));
    } catch (error) {
      if (!thread.ended || this.#closed || this.#writer.inTransaction) throw error;
      // The thread has ended, so the copy is made here: the event loop waits, but the WAL does not grow for ever.
      this.#writer.run("PRAGMA wal_checkpoint(PASSIVE)");
    }
  }

  /** Makes a consistent, flushed copy that only its owner can read. @throws Error when `target` exists */
  async backup(target: string): Promise<void> {
    if (this.#closed) throw storageUnavailable(new Error("the storage is closed or failed"));
    const thread = this.#startThread();
    await copyInto(target, async (file) => void (await thread.run({ kind: "backup", target: file })));
  }

  /** Looks for damage. @throws Error with `code` SQLITE_CORRUPT */
  async check(): Promise<void> {
    if (this.#closed) return;
    const thread = this.#startThread();
    this.#checking = true;
    try {
      await thread.run({ kind: "check" });
    } catch (error) {
      if (!this.#closed) throw error;
    } finally {
      this.#checking = false;
    }
  }

  /** Waits for running work, then closes. A check may take minutes, so a stop does not wait for it. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#checking) this.#thread?.end();
    await this.#thread?.close();
  }

  /** Ends at once, because no more copies may be made. */
  abort(): void {
    this.#closed = true;
    this.#thread?.end();
  }

  #startThread(): SqliteThread {
    if (!this.#thread || this.#thread.ended) this.#thread = new SqliteThread(this.#file);
    return this.#thread;
  }
}

/** Creates the target of a copy, runs the copy and makes it durable. Removes the remains of a failed copy. */
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
