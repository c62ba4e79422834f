import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { appendAudit } from "../../identity/audit/store.ts";
import { checkProof } from "../../identity/email-proofs/mailed.ts";
import type { Proof } from "../../identity/email-proofs/proofs.ts";
import type { Identity } from "../../identity/identity.ts";
import { isLockedLive } from "../../identity/sessions/lock.ts";
import { claimUser, insertEmail } from "../../identity/users/store.ts";
import type { Admitted } from "../../rpc/gate.ts";
import { isUniqueViolation } from "../../storage/errors.ts";
import type { Executor } from "../../storage/storage.ts";
import { MAX_EMAILS } from "./limits.ts";
import { countEmails, findByCanonical, findPrimary, verifyEmail } from "./store.ts";

/** What a verify_email flow goes on with. */
export interface VerifyState {
  address: string;
  canonical: string;
  /** The session that asked. */
  sid: string;
}

/**
 * The proof of an address that a session asked for. It comes without that session, as the mail may be read elsewhere, but not
 * after its end: what somebody else's session began is over when the account's owner has signed it out.
 */
export class Verification {
  constructor(private readonly identity: Identity) {}

  /**
   * A password that the account has stays: it is the account's own flow that proves the address.
   * @returns the address. @throws AppError `invalid_code`, `conflict` when somebody else has it by now, `rate_limited`
   */
  async verify(caller: Admitted, proof: Proof): Promise<string> {
    const { application, origin } = caller;
    const { storage, clock, notices } = this.identity;
    const { flow, state, spend } = await checkProof(this.identity, caller, ["verify_email"], proof);
    const { address, canonical, sid } = state as unknown as VerifyState;
    const userId = flow.user_id;
    const tenantId = application.tenant.id;
    if (userId === null) throw new AppError("invalid_code");
    return storage.write(async (tx) => {
      const now = clock.now();
      if (!(await isLockedLive(tx, { tenant_id: tenantId, user_id: userId, sid }, now)))
        throw new AppError("invalid_code");
      await spend(tx);
      const found = await findByCanonical(tx, tenantId, canonical);
      if (found && found.user_id !== userId) throw taken();
      if (found) await verifyEmail(tx, found.id, now);
      else await this.#insert(tx, now, { tenantId, userId, address, canonical });
      await claimUser(tx, userId, now);
      await appendAudit(tx, now, {
        tenantId,
        actor: { kind: "user", id: userId },
        action: found ? "email.verified" : "email.added",
        target: { kind: "user", id: userId },
        applicationId: application.id,
        origin,
      });
      if (!found) {
        const values = { email: address };
        await notices.tell(tx, now, { kind: "address", template: "email_added", application, userId, origin, values });
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
      throw new AppError("conflict", { message: `There are ${MAX_EMAILS} addresses already.` });
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
