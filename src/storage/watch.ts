import type { Executor, Params, Prepared, Storage } from "./storage.ts";

/**
 * The same storage, which tells of every run of one statement once the write that it was part of is durable. A write that
 * was tried twice may tell twice.
 */
export function watchStatement<P extends Params, R>(
  storage: Storage,
  statement: Prepared<P, R>,
  committed: (params: P) => void,
): Storage {
  return {
    dialect: storage.dialect,
    read: storage.read,
    write: async (work) => {
      const seen: Params[] = [];
      const result = await storage.write((tx) => work(new WatchedExecutor(tx, statement, seen)));
      for (const params of seen) committed(params as P);
      return result;
    },
    backup: (file) => storage.backup(file),
    probe: () => storage.probe(),
    stats: () => storage.stats(),
    close: () => storage.close(),
  };
}

class WatchedExecutor implements Executor {
  constructor(
    private readonly inner: Executor,
    private readonly watched: object,
    private readonly seen: Params[],
  ) {}

  get kysely(): Executor["kysely"] {
    return this.inner.kysely;
  }

  all<P extends Params, R>(statement: Prepared<P, R>, params: P): Promise<R[]> {
    if (statement === this.watched) this.seen.push(params);
    return this.inner.all(statement, params);
  }

  first<P extends Params, R>(statement: Prepared<P, R>, params: P): Promise<R | undefined> {
    if (statement === this.watched) this.seen.push(params);
    return this.inner.first(statement, params);
  }
}
