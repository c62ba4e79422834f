import type { Executor, Params, Prepared, Storage } from "./storage.ts";

/** A statement and the function that hears of its runs. */
export interface Watch {
  statement: object;
  told(params: Params): void;
}

/** Creates a watch whose function takes the parameters of its statement. */
export function watchOf<P extends Params, R>(statement: Prepared<P, R>, told: (params: P) => void): Watch {
  return { statement, told: (params) => told(params as P) };
}

/**
 * Returns the same storage, which reports every run of the watched statements once their write is durable. A write that was
 * retried may be reported twice.
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
    check: () => storage.check(),
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

  later<P extends Params, R>(statement: Prepared<P, R>, params: P): void {
    const watch = this.watches.get(statement);
    if (watch) this.see(watch, params);
    this.inner.later(statement, params);
  }

  atEnd<P extends Params, R>(statement: Prepared<P, R>, params: P): void {
    const watch = this.watches.get(statement);
    if (watch) this.see(watch, params);
    this.inner.atEnd(statement, params);
  }
}
