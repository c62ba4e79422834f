import type { Executor, Params, Prepared, Storage, StorageStats } from "../../src/storage/storage.ts";

/** Counts statements, prepared or not, and writes, so that tests can show that two answers did the same work. */
export class CountingStorage implements Storage {
  reads = 0;
  writes = 0;
  statementsInWrites = 0;
  readonly read: Executor;

  constructor(private readonly inner: Storage) {
    this.read = counted(inner.read, () => this.reads++);
  }

  get dialect() {
    return this.inner.dialect;
  }

  write<T>(work: (tx: Executor) => Promise<T>): Promise<T> {
    this.writes++;
    return this.inner.write((tx) => work(counted(tx, () => this.statementsInWrites++)));
  }

  backup(file: string): Promise<void> {
    return this.inner.backup(file);
  }

  check(): Promise<void> {
    return this.inner.check();
  }

  probe(): Promise<void> {
    return this.inner.probe();
  }

  onFailure(listener: (cause: unknown) => void): void {
    this.inner.onFailure(listener);
  }

  stats(): StorageStats {
    return this.inner.stats();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

function counted(executor: Executor, count: () => void): Executor {
  return {
    get kysely() {
      return executor.kysely.withPlugin({
        transformQuery: ({ node }) => {
          count();
          return node;
        },
        transformResult: async ({ result }) => result,
      });
    },
    all: <P extends Params, R>(statement: Prepared<P, R>, params: P) => {
      count();
      return executor.all(statement, params);
    },
    first: <P extends Params, R>(statement: Prepared<P, R>, params: P) => {
      count();
      return executor.first(statement, params);
    },
    later: <P extends Params, R>(statement: Prepared<P, R>, params: P) => {
      count();
      executor.later(statement, params);
    },
    atEnd: <P extends Params, R>(statement: Prepared<P, R>, params: P) => {
      count();
      executor.atEnd(statement, params);
    },
  };
}
