import type { Database as SqliteDatabase } from "bun:sqlite";
import { closeSync, fsync, openSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { isSqliteFlushFault, sqliteCode } from "./errors.ts";
import { createPrivateFile, syncDirectoryOf } from "./sqlite-file.ts";
import { SqliteThread } from "./sqlite-thread.ts";

/** Commits between two looks at the size of the WAL. */
const COMMITS_BETWEEN = 64;
/** Pages: from here on the WAL is copied into the database. */
const THRESHOLD = 4_000;
/** Pages: from here on writers wait until the copy has reached the end. */
const LIMIT = 16_000;

const flushFile = promisify(fsync);

/** Checkpoints and copies of a database file, made by a thread so that the loop never waits for the disk. */
export class SqliteMaintenance {
  readonly #file: string;
  readonly #writer: SqliteDatabase;
  readonly #doubt: (cause: unknown) => void;
  #thread: SqliteThread | undefined;
  #commits = 0;
  #checkpointing = false;
  #closed = false;

  /** @param doubt called when a flush failed and nobody knows any more what the disk holds */
  constructor(file: string, writer: SqliteDatabase, doubt: (cause: unknown) => void) {
    this.#file = resolve(file);
    this.#writer = writer;
    this.#doubt = doubt;
  }

  committed(): void {
    if (++this.#commits < COMMITS_BETWEEN || this.#checkpointing || this.#closed) return;
    this.#commits = 0;
    this.#checkpointing = true;
    this.#checkpoint()
      .catch((error) => {
        // Busy is no fault: another process copies at this moment. A full disk neither: the WAL keeps what it has.
        if (isSqliteFlushFault(error) || sqliteCode(error)?.startsWith("SQLITE_IOERR")) this.#doubt(error);
      })
      .finally(() => {
        this.#checkpointing = false;
      });
  }

  async #checkpoint(): Promise<void> {
    const thread = this.#startThread();
    try {
      await thread.run({ kind: "checkpoint", threshold: THRESHOLD, limit: LIMIT });
    } catch (error) {
      if (!thread.ended || this.#closed || this.#writer.inTransaction) throw error;
      // Without a thread the copy is made here: the loop waits, but the WAL does not grow for ever.
      this.#writer.run("PRAGMA wal_checkpoint(PASSIVE)");
    }
  }

  /** A consistent copy, flushed, readable by the owner alone. @throws Error when `target` exists */
  async backup(target: string): Promise<void> {
    const thread = this.#startThread();
    await copyInto(target, (file) => thread.run({ kind: "backup", target: file }));
  }

  close(): void {
    this.#closed = true;
    this.#thread?.close();
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
