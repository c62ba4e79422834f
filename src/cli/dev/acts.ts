import { RecentMap } from "../../core/recent-map.ts";
import type { AuditedAct } from "../../identity/audit/watch.ts";

/** Requests whose acts are remembered. */
const KEPT = 1_000;

/** Brings acts and answers together: an act is durable before the request that asked for it is answered. */
export class ActsByRequest {
  readonly #waiting = new RecentMap<AuditedAct[]>(KEPT);
  readonly #answered = new RecentMap<true>(KEPT);

  /** @returns false for an act that no open request asked for: it stands alone */
  add(act: AuditedAct): boolean {
    if (act.requestId === null || this.#answered.get(act.requestId)) return false;
    const acts = this.#waiting.get(act.requestId) ?? [];
    acts.push(act);
    this.#waiting.set(act.requestId, acts);
    return true;
  }

  /** The acts of a request that is answered now. */
  take(requestId: string): readonly AuditedAct[] {
    this.#answered.set(requestId, true);
    return this.#waiting.get(requestId) ?? [];
  }
}
