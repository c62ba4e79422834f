import { type Watch, watchOf } from "../../storage/watch.ts";
import { insertRow } from "./store.ts";

/** Called with each tenant for which this process has committed a revocation. Revocations of other processes are not heard. */
type Listener = (tenantId: string) => void;

/**
 * Signals that a revocation is durable, so that streams need not wait for the next read of the table. It watches the statement
 * itself, so no code that revokes can forget the signal.
 */
export class RevocationSignal {
  readonly #listeners = new Set<Listener>();

  onCommit(listener: Listener): void {
    this.#listeners.add(listener);
  }

  /** The statement that the storage must watch. */
  readonly watch: Watch = watchOf(insertRow, ({ tenant_id }) => {
    for (const listener of this.#listeners) listener(tenant_id);
  });
}
