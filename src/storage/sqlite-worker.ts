// Runs in a thread of its own, from its text (see sqlite-thread.ts): it may import nothing but what Bun brings along.
import { Database } from "bun:sqlite";

export type WorkerTask =
  | { kind: "open"; file: string }
  | { kind: "checkpoint"; threshold: number; limit: number }
  | { kind: "backup"; target: string };

export interface WorkerRequest {
  id: number;
  task: WorkerTask;
}

export interface WorkerReply {
  id: number;
  error?: { message: string; code: string | undefined };
}

interface Progress {
  busy: number;
  log: number;
  checkpointed: number;
}

declare const self: Worker;

let database: Database | undefined;

function perform(task: WorkerTask): void {
  if (task.kind === "open") {
    database = new Database(task.file, { readwrite: true, create: false });
    database.run("PRAGMA busy_timeout = 2000");
    // NORMAL flushes the WAL before a checkpoint copies from it, and the database before the WAL may be overwritten.
    database.run("PRAGMA synchronous = NORMAL");
    database.run("PRAGMA wal_autocheckpoint = 0");
    return;
  }
  if (!database) throw new Error("the worker has no database");
  if (task.kind === "backup") database.query("VACUUM INTO ?").run(task.target);
  else checkpoint(database, task.threshold, task.limit);
}

function checkpoint(connection: Database, threshold: number, limit: number): void {
  const run = (mode: string) => connection.query<Progress, []>(`PRAGMA wal_checkpoint(${mode})`).get();
  const size = run("NOOP");
  if (!size || size.log < threshold) return;
  const passive = run("PASSIVE");
  // Under unbroken writing a passive checkpoint never reaches the end, and the WAL would grow for ever.
  if (passive && passive.log >= limit && passive.checkpointed < passive.log) run("TRUNCATE");
}

self.onmessage = (event: MessageEvent<WorkerRequest>) => {
  const { id, task } = event.data;
  const reply: WorkerReply = { id };
  try {
    perform(task);
  } catch (error) {
    const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : undefined;
    reply.error = { message: error instanceof Error ? error.message : String(error), code };
  }
  self.postMessage(reply);
};
