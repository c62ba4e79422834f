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

/** The object that an act changes or asks for. */
export interface Target {
  kind: string;
  id: string;
}

/** The scope of an act: an application, a whole tenant, or the instance. Every application is a place. */
export interface Place {
  id: string | null;
  tenant: { id: string | null };
}

export const ANONYMOUS: Actor = { kind: "anonymous", id: null };
export const SYSTEM: Actor = { kind: "system", id: null };

/** Names a user as the actor or the target of an act. */
export function userRef(id: string): { kind: "user"; id: string } {
  return { kind: "user", id };
}

/** Makes a place from ids only. Without ids it is the instance. */
export function placeOf(tenantId: string | null, applicationId: string | null = null): Place {
  return { id: applicationId, tenant: { id: tenantId } };
}

/** An event and its details. The details hold no secret, password or token. */
type Event = [action: AuditAction, target?: Target | null, details?: Record<string, unknown>];
type Entry = [tx: Executor, now: number, ...event: Event];

/** Reads the device cookie. Most acts never ask for it. */
export type DeviceCookie = () => string | null;

const NO_DEVICE: DeviceCookie = () => null;

/**
 * One act: its application, its origin, its actor and the cookie of its device. The gate makes it, and all later code passes it
 * on unchanged.
 */
export class ActIn<Where extends Place> {
  constructor(
    readonly application: Where,
    readonly origin: RequestOrigin,
    readonly actor: Actor,
    readonly device: DeviceCookie = NO_DEVICE,
  ) {}

  /**
   * Returns the same act with another actor: an anonymous caller who is now proven to be a user, or the system reacting to a
   * user.
   */
  by(actor: Actor): ActIn<Where> {
    return new ActIn(this.application, this.origin, actor, this.device);
  }

  /**
   * Writes the act to the audit log in the transaction of its change: if the entry cannot be written, the act does not happen.
   * `now` is the time, in ms, that the rows of the same transaction carry.
   */
  async audit(...[tx, now, ...event]: Entry): Promise<void> {
    appendAudit(tx, now, this.#entry(...event));
  }

  /** Writes entries that any caller can cause repeatedly. A flood of them leaves few entries. */
  auditSparsely(...[tx, now, ...event]: Entry): Promise<void> {
    return appendRefusal(tx, now, this.#entry(...event));
  }

  /**
   * Writes a failed proof, sparsely. It names no user as actor: the caller has not proven to be the user, even with a session.
   */
  auditRefusal(...entry: Entry): Promise<void> {
    return this.by(ANONYMOUS).auditSparsely(...entry);
  }

  #entry(...[action, target = null, details]: Event): AuditEntry {
    const { application, origin, actor } = this;
    return { tenantId: application.tenant.id, applicationId: application.id, origin, actor, action, target, details };
  }
}

/** Makes an act for a local command or a job, which no request started. */
export function systemAct<Where extends Place>(application: Where): ActIn<Where> {
  return new ActIn(application, systemOrigin, SYSTEM);
}
