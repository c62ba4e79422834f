import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { isStanding, STANDING } from "../../identity/accounts/standing.ts";
import type { Act } from "../../identity/applications/act.ts";
import { userRef } from "../../identity/audit/act.ts";
import { checkProof } from "../../identity/email-proofs/mailed.ts";
import { mailReset } from "../../identity/email-proofs/reset.ts";
import type { Identity } from "../../identity/identity.ts";
import {
  deleteNewerEmails,
  findByCanonical,
  findPrimary,
  makePrimary,
  verifyEmail,
} from "../../identity/users/emails/public.ts";
import { findUser, insertEmail, lockUser } from "../../identity/users/public.ts";
import type { UserEmailsTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";

/** The state of an undo_email_change flow: the previous address. */
export interface UndoState {
  address: string;
  canonical: string;
  changedAt: number;
}

/**
 * Undoes a change of address for the reader of the old address: the owner's way back after somebody else took the account. A
 * thief proves an address of their own in minutes, so an undo beats every address that was proven less than a week before the
 * change, or after it. It does not beat an address that was proven earlier: a change to such an address gets no link, and the
 * undo of another change leaves it on the account. Otherwise the reader of a mailbox that the owner has given up could take
 * the owner's own other addresses away.
 */
export class Undo {
  constructor(
    private readonly identity: Pick<
      Identity,
      "accounts" | "attempts" | "clock" | "emailProofs" | "flows" | "notices" | "outbox" | "storage"
    >,
  ) {}

  /**
   * Makes the old address the primary one again, whatever happened to the account meanwhile. Signs nobody in, deletes the
   * password and everything that was added since the change, and mails a link to a new password.
   * @throws AppError `invalid_code`, `conflict` if another person has proven the old address meanwhile
   */
  async undo(asked: Act, token: string): Promise<void> {
    const { accounts, storage, clock } = this.identity;
    const { flow, state, spend } = await checkProof(this.identity, asked, ["undo_email_change"], { token });
    const before = state as unknown as UndoState;
    const userId = flow.user_id;
    if (userId === null) throw new AppError("invalid_code");
    const act = asked.by(userRef(userId));
    await storage.write(async (tx) => {
      const now = clock.now();
      const tenantId = act.application.tenant.id;
      if (!(await lockUser(tx, tenantId, userId, now))) throw new AppError("invalid_code");
      await spend(tx);
      if ((await findUser(tx, tenantId, userId))?.disabled_at !== null) throw new AppError("invalid_code");
      const newer = await findPrimary(tx, userId);
      const emailId = await this.#restore(tx, now, act, userId, before);
      const undo = { flowId: flow.id, changedAt: before.changedAt };
      await accounts.credentialChanged(tx, now, act, { userId, keep: null, reason: "address_undone", undo });
      await this.#mail(tx, now, act, { userId, emailId, address: before.address }, before, newer);
    });
  }

  /** Deletes the newer addresses, because the attacker who changed the address may have added them. */
  async #restore(tx: Executor, now: number, act: Act, userId: string, before: UndoState) {
    const tenantId = act.application.tenant.id;
    await this.identity.accounts.reclaim(tx, now, act, userId, before.canonical);
    const own = await findByCanonical(tx, tenantId, before.canonical);
    await deleteNewerEmails(tx, userId, before.canonical, before.changedAt - STANDING);
    if (own) {
      await verifyEmail(tx, userId, own.id, now);
      await makePrimary(tx, userId, own.id);
      return own.id;
    }
    const id = newId(this.identity.clock.now());
    const { address, canonical } = before;
    await insertEmail(tx, { id, tenantId, userId, address, canonical, now, isPrimary: false, isVerified: true });
    await makePrimary(tx, userId, id);
    return id;
  }

  async #mail(
    tx: Executor,
    now: number,
    act: Act,
    owner: { userId: string; emailId: string; address: string },
    { canonical, changedAt }: UndoState,
    newer: UserEmailsTable | undefined,
  ): Promise<void> {
    const { userId } = owner;
    if (act.application.signInMethods.has("password")) {
      await mailReset(this.identity, tx, act, { canonical, owner });
    }
    if (!newer || newer.canonical === canonical || newer.verified_at === null) return;
    if (isStanding(newer, changedAt)) return;
    await this.identity.notices.notify(tx, now, act, {
      kind: "address",
      template: "email_removed",
      userId,
      to: newer.address,
      values: { email: newer.address },
    });
  }
}
