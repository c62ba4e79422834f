import type { Executor, Params, Prepared, Storage } from "../../storage/storage.ts";
import { insertRow } from "./store.ts";

/** Told of each tenant of which this process has committed a revocation; those of other processes are not heard. */
type Listener = (tenantId: string) => void;

/**
 * Says that a revocation is durable, so that who streams them need not wait for the next look at the table. It watches the
 * statement itself: whoever revokes, in whatever room, cannot forget to tell.
 */
export class RevocationSignal {
  readonly #listeners = new Set<Listener>();

  /** @returns stops it */
  onCommit(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The same storage, whose writes are watched. */
  watch(storage: Storage): Storage {
    return {
      dialect: storage.dialect,
      read: storage.read,
      write: (work) => this.#write(storage, work),
      backup: (file) => storage.backup(file),
      probe: () => storage.probe(),
      stats: () => storage.stats(),
      close: () => storage.close(),
    };
  }

  async #write<T>(storage: Storage, work: (tx: Executor) => Promise<T>): Promise<T> {
    const tenants = new Set<string>();
    const result = await storage.write((tx) => work(new WatchedExecutor(tx, tenants)));
    for (const tenantId of tenants) for (const listener of this.#listeners) listener(tenantId);
    return result;
  }
}

class WatchedExecutor implements Executor {
  constructor(
    private readonly inner: Executor,
    private readonly tenants: Set<string>,
  ) {}

  get kysely(): Executor["kysely"] {
    return this.inner.kysely;
  }

  all<P extends Params, R>(statement: Prepared<P, R>, params: P): Promise<R[]> {
    if ((statement as unknown) === insertRow) this.tenants.add(String(params.tenant_id));
    return this.inner.all(statement, params);
  }

  first<P extends Params, R>(statement: Prepared<P, R>, params: P): Promise<R | undefined> {
    return this.inner.first(statement, params);
  }
}
