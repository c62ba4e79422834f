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
import { type AddressRef, findAddressOf, lockProvenAddress, verifyEmail } from "../users/emails/store.ts";
import { tombstoneUser } from "../users/store.ts";
import { standsFor } from "./may-act.ts";

/** Removes the rows that a feature keeps about a user. */
export type Erasure = (tx: Executor, userId: string) => Promise<void>;

/** The acts on an account as a whole. */
export class Accounts {
  constructor(
    private readonly clock: Clock,
    private readonly sessions: Sessions,
    private readonly erasures: readonly Erasure[],
    private readonly unprovenRevocations: readonly Erasure[],
  ) {}

  /**
   * Lets a mail to this address act for its account, once its proof is spent. The caller holds the user's row, unless the
   * address was proven when it looked. Until now unproven, the address is proven by this: a stranger may have set the account
   * up before its owner came (pre-hijacking), so every credential goes and every session ends.
   * @throws AppError `invalid_code` when the address does not stand for the account any more
   */
  async actByMail(tx: Executor, now: number, act: Act, address: AddressRef): Promise<void> {
    if (await lockProvenAddress(tx, address)) return;
    const standing = await findAddressOf(tx, address);
    if (!standing || !standsFor(standing)) throw new AppError("invalid_code");
    await verifyEmail(tx, address.userId, address.emailId, now);
    await this.#takeOver(tx, now, act, address.userId);
  }

  async #takeOver(tx: Executor, now: number, asked: Act, userId: string): Promise<void> {
    const act = asked.by(userRef(userId));
    for (const revoke of this.unprovenRevocations) await revoke(tx, userId);
    await deleteTrustedDevices(tx, userId);
    // The stranger's devices do not belong to the owner.
    await deleteKnownDevices(tx, userId);
    await deleteFlowsOf(tx, userId);
    const reason = "password_changed";
    await this.sessions.endAll(tx, act, userId, { reason, keep: null, everyApplication: true });
    await act.audit(tx, now, "user.unproven_credentials_revoked", userRef(userId));
    await act.audit(tx, now, "email.verified", userRef(userId));
  }

  /**
   * Removes what is personal, ends every session in every application and tells verifiers. The id and the external id stay,
   * so that neither is anybody else's later.
   * @throws AppError `not_found` for a user of another tenant or one deleted before
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
