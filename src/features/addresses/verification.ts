import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import type { Act } from "../../identity/applications/act.ts";
import { userRef } from "../../identity/audit/act.ts";
import { checkProof } from "../../identity/email-proofs/mailed.ts";
import type { Proof } from "../../identity/email-proofs/proofs.ts";
import type { Identity } from "../../identity/identity.ts";
import { isLockedLive } from "../../identity/sessions/lock.ts";
import {
  countEmails,
  findByCanonical,
  findPrimary,
  isAnyProvenSince,
  verifyEmail,
} from "../../identity/users/emails/public.ts";
import { insertEmail } from "../../identity/users/public.ts";
import { isUniqueViolation } from "../../storage/errors.ts";
import type { Executor } from "../../storage/storage.ts";
import { MAX_EMAILS } from "./limits.ts";

/** The state of a verify_email flow. */
export interface VerifyState {
  address: string;
  canonical: string;
  /** The session that asked for the proof. */
  sid: string;
}

/**
 * Proves an address that a session asked to have proven. The proof needs no session, because the mail may be read on another
 * device. It fails once that session has ended: an attacker's flow is over when the owner signs the attacker out.
 */
export class Verification {
  constructor(
    private readonly identity: Pick<
      Identity,
      "attempts" | "clock" | "emailProofs" | "flows" | "notices" | "outbox" | "signIns" | "storage"
    >,
  ) {}

  /**
   * Keeps the account's password, because the account itself asked for the proof.
   * @returns the address. @throws AppError `invalid_code`, `conflict` if another account has it by now, `rate_limited`
   */
  async verify(asked: Act, proof: Proof): Promise<string> {
    const { storage, clock, notices } = this.identity;
    const { flow, state, spend } = await checkProof(this.identity, asked, ["verify_email"], proof);
    const { address, canonical, sid } = state as unknown as VerifyState;
    const userId = flow.user_id;
    const tenantId = asked.application.tenant.id;
    if (userId === null) throw new AppError("invalid_code");
    const act = asked.by(userRef(userId));
    return storage.write(async (tx) => {
      const now = clock.now();
      if (!(await isLockedLive(tx, { tenant_id: tenantId, user_id: userId, sid }, now)))
        throw new AppError("invalid_code");
      await spend(tx);
      const found = await findByCanonical(tx, tenantId, canonical);
      if (found && found.user_id !== userId) throw taken();
      // An unproven address on the list may be mistyped. A mail sent before another address was proven no longer proves it.
      if (found && (await isAnyProvenSince(tx, userId, flow.created_at))) throw new AppError("invalid_code");
      if (found) await verifyEmail(tx, userId, found.id, now);
      else await this.#insert(tx, now, { tenantId, userId, address, canonical });
      await this.identity.signIns.claim(tx, now, { act, userId, sid, kind: "address" });
      await act.audit(tx, now, found ? "email.verified" : "email.added", userRef(userId));
      if (!found) {
        const values = { email: address };
        await notices.notify(tx, now, act, { kind: "address", template: "email_added", userId, values });
      }
      return found?.address ?? address;
    });
  }

  async #insert(
    tx: Executor,
    now: number,
    row: { tenantId: string; userId: string; address: string; canonical: string },
  ): Promise<void> {
    if ((await countEmails(tx, row.userId)) >= MAX_EMAILS) {
      throw new AppError("conflict", { message: `An account has at most ${MAX_EMAILS} addresses. Remove one first.` });
    }
    const isPrimary = (await findPrimary(tx, row.userId)) === undefined;
    try {
      const id = newId(this.identity.clock.now());
      await insertEmail(tx, { id, ...row, now, isPrimary, isVerified: true });
    } catch (error) {
      if (isUniqueViolation(error)) throw taken();
      throw error;
    }
  }
}

function taken(): AppError {
  return new AppError("conflict", {
    message: "Another account has this address.",
    details: [{ path: "email", reason: "is taken" }],
  });
}
