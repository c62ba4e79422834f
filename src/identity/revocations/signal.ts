import { type Watch, watchOf } from "../../storage/watch.ts";
import { insertRow } from "./store.ts";

/** Told of each tenant of which this process has committed a revocation; those of other processes are not heard. */
type Listener = (tenantId: string) => void;

/**
 * Says that a revocation is durable, so that who streams them need not wait for the next look at the table. It watches the
 * statement itself: whoever revokes, in whatever room, cannot forget to tell.
 */
export class RevocationSignal {
  readonly #listeners = new Set<Listener>();

  onCommit(listener: Listener): void {
    this.#listeners.add(listener);
  }

  /** What the storage must watch. */
  readonly watch: Watch = watchOf(insertRow, ({ tenant_id }) => {
    for (const listener of this.#listeners) listener(tenant_id);
  });
}
