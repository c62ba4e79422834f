// Runs in its own thread, from its text (see sqlite-thread.ts), so it may import only Bun's own modules.
import { Database } from "bun:sqlite";

export type WorkerTask =
  | { kind: "open"; file: string }
  /** Copies the WAL when it has `threshold` pages. TRUNCATE also empties it, and requires that no writer runs. */
  | { kind: "checkpoint"; mode: "PASSIVE" | "TRUNCATE"; threshold: number }
  | { kind: "backup"; target: string }
  /** Fails with code SQLITE_CORRUPT if the file is damaged. */
  | { kind: "check" }
  | { kind: "close" };

export interface WorkerRequest {
  id: number;
  task: WorkerTask;
}

export interface WorkerReply {
  id: number;
  /** Pages in the WAL after a checkpoint; 0 when they were too few for one. */
  pages?: number;
  error?: { message: string; code: string | undefined };
}

interface Progress {
  busy: number;
  log: number;
  checkpointed: number;
}

declare const self: Worker;

let database: Database | undefined;

function perform(task: WorkerTask): number {
  if (task.kind === "open") {
    database = new Database(task.file, { readwrite: true, create: false });
    database.run("PRAGMA busy_timeout = 2000");
    // NORMAL flushes the WAL before a checkpoint copies it, and flushes the database before the WAL may be overwritten.
    database.run("PRAGMA synchronous = NORMAL");
    database.run("PRAGMA wal_autocheckpoint = 0");
    return 0;
  }
  if (!database) throw new Error("the worker has no database");
  if (task.kind === "checkpoint") return checkpoint(database, task.mode, task.threshold);
  if (task.kind === "check") check(database);
  else if (task.kind === "backup") database.query("VACUUM INTO ?").run(task.target);
  else {
    database.clearQueryCache();
    database.close();
    database = undefined;
  }
  return 0;
}

function check(connection: Database): void {
  const rows = connection.query<{ quick_check: string }, []>("PRAGMA quick_check(3)").all();
  const verdict = rows.map((row) => row.quick_check).join("; ");
  if (verdict !== "ok") throw Object.assign(new Error(verdict), { code: "SQLITE_CORRUPT" });
}

function checkpoint(connection: Database, mode: "PASSIVE" | "TRUNCATE", threshold: number): number {
  const run = (name: string) => connection.query<Progress, []>(`PRAGMA wal_checkpoint(${name})`).get();
  const size = run("NOOP");
  if (!size || size.log < threshold) return 0;
  run(mode);
  return size.log;
}

self.onmessage = (event: MessageEvent<WorkerRequest>) => {
  const { id, task } = event.data;
  const reply: WorkerReply = { id };
  try {
    reply.pages = perform(task);
  } catch (error) {
    const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : undefined;
    reply.error = { message: error instanceof Error ? error.message : String(error), code };
  }
  self.postMessage(reply);
};
