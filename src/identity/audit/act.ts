import { type RequestOrigin, systemOrigin } from "../../core/caller.ts";
import type { AuditEntriesTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import type { AuditAction } from "./actions.ts";
import { appendRefusal } from "./refusals.ts";
import { type AuditEntry, appendAudit } from "./store.ts";

/** The person or program that acts. */
export interface Actor {
  kind: AuditEntriesTable["actor_kind"];
  id: string | null;
}

/** The thing that an act changes or asks for. */
export interface Target {
  kind: string;
  id: string;
}

/** Where an act belongs: an application, a tenant as a whole, or the instance. Every application is such a place. */
export interface Place {
  id: string | null;
  tenant: { id: string | null };
}

export const ANONYMOUS: Actor = { kind: "anonymous", id: null };
export const SYSTEM: Actor = { kind: "system", id: null };

/** Names a user, as the actor of an act or as its target. */
export function userRef(id: string): { kind: "user"; id: string } {
  return { kind: "user", id };
}

/** A place of which only ids are known; without ids, the instance. */
export function placeOf(tenantId: string | null, applicationId: string | null = null): Place {
  return { id: applicationId, tenant: { id: tenantId } };
}

/** An event and its circumstances. The details hold no secret, no password and no token. */
type Event = [action: AuditAction, target?: Target | null, details?: Record<string, unknown>];
type Entry = [tx: Executor, now: number, ...event: Event];

/** One act: its application, where it comes from, and its actor. The gate makes it; everything below hands it on whole. */
export class ActIn<Where extends Place> {
  constructor(
    readonly application: Where,
    readonly origin: RequestOrigin,
    readonly actor: Actor,
  ) {}

  /** The same act by another actor: an anonymous caller who has proven to be a user, the system that reacts to a user. */
  by(actor: Actor): ActIn<Where> {
    return new ActIn(this.application, this.origin, actor);
  }

  /**
   * Enters the act in the audit log, in the transaction of its change: if the entry cannot be written, the act does not happen.
   * `now` is the instant, in ms, that the rows of the same transaction carry.
   */
  audit(...[tx, now, ...event]: Entry): Promise<void> {
    return appendAudit(tx, now, this.#entry(...event));
  }

  /** As {@link audit}, for an entry that anybody can cause again and again: a flood of them leaves few entries. */
  auditSparsely(...[tx, now, ...event]: Entry): Promise<void> {
    return appendRefusal(tx, now, this.#entry(...event));
  }

  /** As {@link auditSparsely}, for a proof that failed: nobody has shown to be the actor, whatever session asked for it. */
  auditRefusal(...entry: Entry): Promise<void> {
    return this.by(ANONYMOUS).auditSparsely(...entry);
  }

  #entry(...[action, target = null, details]: Event): AuditEntry {
    const { application, origin, actor } = this;
    return { tenantId: application.tenant.id, applicationId: application.id, origin, actor, action, target, details };
  }
}

/** An act of a command on the machine, or of a job: nobody's request asked for it. */
export function systemAct<Where extends Place>(application: Where): ActIn<Where> {
  return new ActIn(application, systemOrigin, SYSTEM);
}
