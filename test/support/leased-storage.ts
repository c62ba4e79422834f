import { storageUnavailable } from "../../src/storage/errors.ts";
import type { Executor, Params, Prepared, Storage, StorageStats } from "../../src/storage/storage.ts";

/**
 * A storage whose connections survive it, because new ones cost more than a whole test. After `close` it refuses to
 * read and write like a closed storage, so that work of one test cannot reach the next one.
 */
export class LeasedStorage implements Storage {
  readonly read: Executor;
  readonly #before: StorageStats;
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;

  constructor(private readonly inner: Storage) {
    this.#before = inner.stats();
    this.read = guarded(inner.read, () => this.#closed);
  }

  get dialect() {
    return this.inner.dialect;
  }

  write<T>(work: (tx: Executor) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(closed());
    const writing = this.inner.write(work);
    this.#running.add(writing);
    const done = () => void this.#running.delete(writing);
    writing.then(done, done);
    return writing;
  }

  backup(file: string): Promise<void> {
    return this.inner.backup(file);
  }

  check(): Promise<void> {
    return this.#closed ? Promise.reject(closed()) : this.inner.check();
  }

  probe(): Promise<void> {
    return this.#closed ? Promise.reject(closed()) : this.inner.probe();
  }

  onFailure(listener: (cause: unknown) => void): void {
    this.inner.onFailure(listener);
  }

  stats(): StorageStats {
    const { writes, commits, failedCommits, isFailed, isDamaged } = this.inner.stats();
    return {
      writes: writes - this.#before.writes,
      commits: commits - this.#before.commits,
      failedCommits: failedCommits - this.#before.failedCommits,
      isFailed,
      isDamaged,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running);
  }
}

const closed = () => storageUnavailable(new Error("the storage is closed"));

function guarded(executor: Executor, isClosed: () => boolean): Executor {
  return {
    get kysely() {
      if (isClosed()) throw closed();
      return executor.kysely;
    },
    all: <P extends Params, R>(statement: Prepared<P, R>, params: P) =>
      isClosed() ? Promise.reject(closed()) : executor.all(statement, params),
    first: <P extends Params, R>(statement: Prepared<P, R>, params: P) =>
      isClosed() ? Promise.reject(closed()) : executor.first(statement, params),
    later: <P extends Params, R>(statement: Prepared<P, R>, params: P) => {
      if (isClosed()) throw closed();
      executor.later(statement, params);
    },
    atEnd: <P extends Params, R>(statement: Prepared<P, R>, params: P) => {
      if (isClosed()) throw closed();
      executor.atEnd(statement, params);
    },
  };
}
