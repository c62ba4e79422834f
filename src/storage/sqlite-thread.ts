// Imported as text: a compiled executable has no file for `new Worker` to open, and the path of an extra entry point in it
// depends on how it was built.
import * as workerText from "./sqlite-worker.ts" with { type: "text" };
import type { WorkerReply, WorkerTask } from "./sqlite-worker.ts";

interface Pending {
  resolve(pages: number): void;
  reject(error: unknown): void;
}

/** The thread that does SQLite's slow work on its own connection. Never keeps the process alive. */
export class SqliteThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #ended: Error | undefined;

  constructor(file: string) {
    const { default: text } = workerText as unknown as { default: string };
    const url = URL.createObjectURL(new Blob([text], { type: "application/typescript" }));
    this.#worker = new Worker(url, { ref: false });
    this.#worker.onmessage = (event: MessageEvent<WorkerReply>) => this.#answer(event.data);
    this.#worker.onerror = (event) => this.#end(new Error(`SQLite's worker ended: ${event.message}`));
    this.run({ kind: "open", file }).catch((error) => this.#end(error));
  }

  /**
   * @returns the number of pages that a checkpoint found in the WAL
   * @throws Error with SQLite's `code`, or the error of a thread that could not start
   */
  run(task: WorkerTask): Promise<number> {
    if (this.#ended) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, task });
    });
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Finishes its tasks, closes its connection and ends. */
  async close(): Promise<void> {
    await this.run({ kind: "close" }).catch(() => undefined);
    this.end();
  }

  /** Ends at once. */
  end(): void {
    this.#end(new Error("the storage is closed"));
  }

  #answer({ id, pages = 0, error }: WorkerReply): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error) pending?.reject(Object.assign(new Error(error.message), { code: error.code }));
    else pending?.resolve(pages);
  }

  #end(reason: Error): void {
    if (this.#ended) return;
    this.#ended = reason;
    this.#worker.terminate();
    for (const { reject } of this.#pending.values()) reject(reason);
    this.#pending.clear();
  }
}
