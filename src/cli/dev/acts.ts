import { RecentMap } from "../../core/recent-map.ts";
import type { AuditedAct } from "../../identity/audit/watch.ts";

/** Number of requests whose acts are kept. */
const KEPT = 1_000;

/** Matches acts with answers: an act is durable before its request is answered. */
export class ActsByRequest {
  readonly #waiting = new RecentMap<AuditedAct[]>(KEPT);
  readonly #answered = new RecentMap<true>(KEPT);

  /** @returns false if no open request caused the act, so that it gets its own line */
  add(act: AuditedAct): boolean {
    if (act.requestId === null || this.#answered.get(act.requestId)) return false;
    const acts = this.#waiting.get(act.requestId) ?? [];
    acts.push(act);
    this.#waiting.set(act.requestId, acts);
    return true;
  }

  /** Returns the acts of a request that is being answered, and forgets them. */
  take(requestId: string): readonly AuditedAct[] {
    this.#answered.set(requestId, true);
    return this.#waiting.get(requestId) ?? [];
  }
}
