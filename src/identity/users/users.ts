import type { RequestOrigin } from "../../core/caller.ts";
import type { Clock } from "../../core/clock.ts";
import { SECOND } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import { deleteMailsOf } from "../../mail/store.ts";
import type { AuditEntriesTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import type { Application } from "../applications/application.ts";
import { longestAccessTtl } from "../applications/store.ts";
import { appendAudit } from "../audit/store.ts";
import { deleteTrustedDevices } from "../factors/store.ts";
import { deleteFlowsOf } from "../flows/store.ts";
import { deleteKnownDevices } from "../notices/store.ts";
import { insertRevocation } from "../revocations/store.ts";
import type { Sessions } from "../sessions/sessions.ts";
import { deleteSessionsOf } from "../sessions/store.ts";
import { tombstoneUser } from "./store.ts";

/** What a feature keeps about a user and removes with them. */
export type Erasure = (tx: Executor, userId: string) => Promise<void>;

interface Deletion {
  application: Application;
  actor: { kind: AuditEntriesTable["actor_kind"]; id: string | null };
  origin: RequestOrigin;
}

/** What happens to a person as a whole. */
export class Users {
  constructor(
    private readonly clock: Clock,
    private readonly sessions: Sessions,
    private readonly erasures: readonly Erasure[],
    private readonly unprovenRevocations: readonly Erasure[],
  ) {}

  /**
   * Somebody has proven an address that the account had not: what was set up without it may be a stranger's who was there
   * first (pre-hijacking). Every credential goes, and every session ends.
   */
  async revokeUnprovenCredentials(tx: Executor, userId: string, revocation: Deletion): Promise<void> {
    const { application, actor, origin } = revocation;
    const tenantId = application.tenant.id;
    for (const revoke of this.unprovenRevocations) await revoke(tx, userId);
    await deleteTrustedDevices(tx, userId);
    // The stranger's devices are none of the owner's.
    await deleteKnownDevices(tx, userId);
    await deleteFlowsOf(tx, userId);
    const ending = { tenantId, application, actor, origin, reason: "password_changed" } as const;
    await this.sessions.endAll(tx, userId, { keep: null, everyApplication: true }, ending);
    await appendAudit(tx, this.clock.now(), {
      tenantId,
      actor,
      action: "user.unproven_credentials_revoked",
      target: { kind: "user", id: userId },
      applicationId: application.id,
      origin,
    });
  }

  /**
   * Removes what is personal, ends every session in every application and tells verifiers. The id and the external id stay,
   * so that neither is anybody else's later.
   * @throws AppError `not_found` for nobody of the application's tenant, and for who was deleted before
   */
  async delete(tx: Executor, userId: string, deletion: Deletion): Promise<void> {
    const { application, actor, origin } = deletion;
    const tenantId = application.tenant.id;
    const now = this.clock.now();
    if (!(await tombstoneUser(tx, tenantId, userId, now))) throw new AppError("not_found");
    for (const erase of this.erasures) await erase(tx, userId);
    await deleteFlowsOf(tx, userId);
    await deleteMailsOf(tx, userId);
    await deleteTrustedDevices(tx, userId);
    await deleteKnownDevices(tx, userId);
    const ending = { tenantId, application, actor, origin, reason: "user_deleted" } as const;
    await this.sessions.endAll(tx, userId, { keep: null, everyApplication: true }, ending);
    await deleteSessionsOf(tx, userId);
    // A session's entry lives as long as one application's tokens; this one outlasts those of every application.
    await insertRevocation(tx, now, {
      tenantId,
      kind: "sub",
      id: userId,
      issuedBefore: now + SECOND,
      expiresAt: now + ((await longestAccessTtl(tx, tenantId)) + 60) * SECOND,
    });
    await appendAudit(tx, now, {
      tenantId,
      actor,
      action: "user.deleted",
      target: { kind: "user", id: userId },
      applicationId: application.id,
      origin,
    });
  }
}
