import type { Clock } from "../../core/clock.ts";
import { SECOND } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import { deleteMailsOf } from "../../mail/store.ts";
import type { Executor } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";
import { longestAccessTtl } from "../applications/store.ts";
import { userRef } from "../audit/act.ts";
import { deleteTrustedDevices } from "../factors/store.ts";
import { deleteFlowsOf } from "../flows/store.ts";
import { deleteKnownDevices } from "../notices/store.ts";
import { insertRevocation } from "../revocations/store.ts";
import type { Sessions } from "../sessions/sessions.ts";
import { deleteSessionsOf } from "../sessions/store.ts";
import { tombstoneUser } from "./store.ts";

/** What a feature keeps about a user and removes with them. */
export type Erasure = (tx: Executor, userId: string) => Promise<void>;

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
  async revokeUnprovenCredentials(tx: Executor, act: Act, userId: string): Promise<void> {
    for (const revoke of this.unprovenRevocations) await revoke(tx, userId);
    await deleteTrustedDevices(tx, userId);
    // The stranger's devices are none of the owner's.
    await deleteKnownDevices(tx, userId);
    await deleteFlowsOf(tx, userId);
    const reason = "password_changed";
    await this.sessions.endAll(tx, act, userId, { reason, keep: null, everyApplication: true });
    await act.audit(tx, this.clock.now(), "user.unproven_credentials_revoked", userRef(userId));
  }

  /**
   * Removes what is personal, ends every session in every application and tells verifiers. The id and the external id stay,
   * so that neither is anybody else's later.
   * @throws AppError `not_found` for nobody of the application's tenant, and for who was deleted before
   */
  async delete(tx: Executor, act: Act, userId: string): Promise<void> {
    const tenantId = act.application.tenant.id;
    const now = this.clock.now();
    if (!(await tombstoneUser(tx, tenantId, userId, now))) throw new AppError("not_found");
    for (const erase of this.erasures) await erase(tx, userId);
    await deleteFlowsOf(tx, userId);
    await deleteMailsOf(tx, userId);
    await deleteTrustedDevices(tx, userId);
    await deleteKnownDevices(tx, userId);
    await this.sessions.endAll(tx, act, userId, { reason: "user_deleted", keep: null, everyApplication: true });
    await deleteSessionsOf(tx, userId);
    // A session's entry lives as long as one application's tokens; this one outlasts those of every application.
    await insertRevocation(tx, now, {
      tenantId,
      kind: "sub",
      id: userId,
      issuedBefore: now + SECOND,
      expiresAt: now + ((await longestAccessTtl(tx, tenantId)) + 60) * SECOND,
    });
    await act.audit(tx, now, "user.deleted", userRef(userId));
  }
}
