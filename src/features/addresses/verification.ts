import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { proofEffect } from "../../identity/accounts/proof-effect.ts";
import type { Act } from "../../identity/applications/act.ts";
import { userRef } from "../../identity/audit/act.ts";
import { checkProof } from "../../identity/email-proofs/mailed.ts";
import type { Proof, StartedProof } from "../../identity/email-proofs/proofs.ts";
import {
  mailVerification,
  pendingVerification,
  type VerifyState,
} from "../../identity/email-proofs/verification-mail.ts";
import type { Identity } from "../../identity/identity.ts";
import { isLockedLive } from "../../identity/sessions/lock.ts";
import { endReasonOf } from "../../identity/sessions/public.ts";
import {
  countEmails,
  findByCanonical,
  findPrimary,
  isAnyProvenSince,
  verifyEmail,
} from "../../identity/users/emails/public.ts";
import { insertEmail, isEnabledUser, lockUser } from "../../identity/users/public.ts";
import { isUniqueViolation } from "../../storage/errors.ts";
import type { Executor } from "../../storage/storage.ts";
import { MAX_EMAILS } from "./limits.ts";

/** The caller of a proof: the session of the request, and the half sign-in of its MFA token. Null where there is none. */
interface Asker {
  sid: string | null;
  mfaFlow: { id: string; userId: string } | null;
}

/** A user who asks for the mail: in a session, or in a half sign-in that must set up a second factor. */
interface Unproven {
  act: Act;
  userId: string;
  sid: string | null;
}

/**
 * Proves an address of an account. The proof needs a live session of that account, or a half sign-in to it: the mail may have
 * been asked for by a stranger, and the click of the address's owner must not give the stranger the address. Any session of the
 * account will do, so the link still works after a step-up or another sign-in.
 */
export class Verification {
  constructor(
    private readonly identity: Pick<
      Identity,
      "accounts" | "attempts" | "clock" | "emailProofs" | "flows" | "notices" | "outbox" | "signIns" | "storage"
    >,
  ) {}

  /**
   * Mails the proof of the account's primary address. If such a mail is on its way already, names that one, unless `again`.
   * @throws AppError `conflict` if there is no address to prove, `rate_limited`
   */
  async ask({ act, userId, sid }: Unproven, again: boolean): Promise<Pick<StartedProof, "flowId" | "expiresIn">> {
    const { attempts, clock, storage } = this.identity;
    const primary = await findPrimary(storage.read, userId);
    if (!primary) throw new AppError("conflict", { message: "This account has no address. Add one first." });
    if (primary.verified_at !== null) throw new AppError("conflict", { message: "This address is already verified." });
    const { address, canonical } = primary;
    const order = { userId, address, canonical, sid };
    const pending = again ? null : await pendingVerification(this.identity, storage.read, act, order);
    if (pending) return pending;
    const network = await attempts.mail(act, "addresses", canonical);
    return storage.write(async (tx) => {
      if (!(await lockUser(tx, act.application.tenant.id, userId, clock.now()))) throw new AppError("token_revoked");
      return mailVerification(this.identity, tx, act, { ...order, network });
    });
  }

  /**
   * The proof is over when another address was proven meanwhile, or when the session that asked was thrown out: an intruder's
   * mail must not work once the owner has ended the intruder's session. Keeps every credential of the account, because the account itself proves the address.
   * @returns the address. @throws AppError `invalid_code`, `asking_session_required`, `conflict` if another account has it by
   * now, `rate_limited`
   */
  async verify(asked: Act, proof: Proof, asker: Asker): Promise<string> {
    const { storage, clock, notices } = this.identity;
    const { flow, state, spend } = await checkProof(this.identity, asked, ["verify_email"], proof);
    const { address, canonical, sid } = state as unknown as VerifyState;
    const userId = flow.user_id;
    const tenantId = asked.application.tenant.id;
    if (userId === null) throw new AppError("invalid_code");
    const act = asked.by(userRef(userId));
    return storage.write(async (tx) => {
      const now = clock.now();
      const isThere = (await lockUser(tx, tenantId, userId, now)) && (await isEnabledUser(tx, userId));
      if (!isThere) throw new AppError("invalid_code");
      const found = await findByCanonical(tx, tenantId, canonical);
      const own = found?.user_id === userId ? found : undefined;
      const effect = proofEffect({
        purpose: "confirm",
        address: own ? (own.verified_at === null ? "unproven" : "proven") : "new",
        hasOtherProven: false,
        // An unproven address on the list may be mistyped: a mail from before another address was proven no longer proves it.
        isOver:
          (own !== undefined && (await isAnyProvenSince(tx, userId, flow.created_at))) || (await isThrownOut(tx, sid)),
        isFromAccount: await this.#isFromAccount(tx, now, { tenantId, userId }, asker),
      });
      if (effect.refuses !== null) throw new AppError(effect.refuses);
      await spend(tx);
      if (found && !own) await this.identity.accounts.release(tx, now, act, canonical);
      if (!own && (await findByCanonical(tx, tenantId, canonical))) throw taken();
      if (own) await verifyEmail(tx, userId, own.id, now);
      else await this.#insert(tx, now, { tenantId, userId, address, canonical });
      await this.identity.signIns.claim(tx, now, { act, userId, sid: asker.sid, kind: "address" });
      await act.audit(tx, now, own ? "email.verified" : "email.added", userRef(userId));
      if (!own) {
        const values = { email: address };
        await notices.notify(tx, now, act, { kind: "address", template: "email_added", userId, values });
      }
      return own?.address ?? address;
    });
  }

  async #isFromAccount(
    tx: Executor,
    now: number,
    { tenantId, userId }: { tenantId: string; userId: string },
    { sid, mfaFlow }: Asker,
  ): Promise<boolean> {
    const session = { tenant_id: tenantId, user_id: userId, sid };
    if (sid !== null && (await isLockedLive(tx, session, now))) return true;
    return mfaFlow?.userId === userId && (await this.identity.flows.find(tx, mfaFlow.id, "mfa")) !== undefined;
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

/** Ends of a session that say nothing against its owner. */
const HARMLESS: ReadonlySet<string | null> = new Set([null, "logout", "replaced"]);

async function isThrownOut(tx: Executor, sid: string | null): Promise<boolean> {
  return sid !== null && !HARMLESS.has(await endReasonOf(tx, sid));
}

function taken(): AppError {
  return new AppError("conflict", {
    message: "Another account has this address.",
    details: [{ path: "email", reason: "is taken" }],
  });
}
