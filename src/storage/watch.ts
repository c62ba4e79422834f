import type { Executor, Params, Prepared, Storage } from "./storage.ts";

/** A statement, and who is told of it. */
export interface Watch {
  statement: object;
  told(params: Params): void;
}

/** The types of a statement and of what is told fit each other. */
export function watchOf<P extends Params, R>(statement: Prepared<P, R>, told: (params: P) => void): Watch {
  return { statement, told: (params) => told(params as P) };
}

/**
 * The same storage, which tells of every run of some statements once the write that they were part of is durable. A write
 * that was tried twice may tell twice.
 */
export function watchStatements(storage: Storage, watches: readonly Watch[]): Storage {
  const byStatement = new Map(watches.map((watch) => [watch.statement, watch]));
  return {
    dialect: storage.dialect,
    read: storage.read,
    write: async (work) => {
      let seen: [Watch, Params][] | undefined;
      const see = (watch: Watch, params: Params) => {
        seen ??= [];
        seen.push([watch, params]);
      };
      const result = await storage.write((tx) => work(new WatchedExecutor(tx, byStatement, see)));
      for (const [watch, params] of seen ?? []) watch.told(params);
      return result;
    },
    backup: (file) => storage.backup(file),
    probe: () => storage.probe(),
    onFailure: (listener) => storage.onFailure(listener),
    stats: () => storage.stats(),
    close: () => storage.close(),
  };
}

class WatchedExecutor implements Executor {
  constructor(
    private readonly inner: Executor,
    private readonly watches: ReadonlyMap<object, Watch>,
    private readonly see: (watch: Watch, params: Params) => void,
  ) {}

  get kysely(): Executor["kysely"] {
    return this.inner.kysely;
  }

  all<P extends Params, R>(statement: Prepared<P, R>, params: P): Promise<R[]> {
    const watch = this.watches.get(statement);
    if (watch) this.see(watch, params);
    return this.inner.all(statement, params);
  }

  first<P extends Params, R>(statement: Prepared<P, R>, params: P): Promise<R | undefined> {
    const watch = this.watches.get(statement);
    if (watch) this.see(watch, params);
    return this.inner.first(statement, params);
  }
}
