import { DAY } from "../../core/clock.ts";
import { canonicalEmail, emailProblem } from "../../core/email.ts";
import { AppError, invalidField } from "../../core/errors.ts";
import { standsFor } from "../../identity/accounts/may-act.ts";
import { isStanding } from "../../identity/accounts/standing.ts";
import { userRef } from "../../identity/audit/act.ts";
import { linkOf } from "../../identity/email-proofs/link.ts";
import type { StartedProof } from "../../identity/email-proofs/proofs.ts";
import { mailVerification } from "../../identity/email-proofs/verification-mail.ts";
import type { Identity } from "../../identity/identity.ts";
import { lockSession } from "../../identity/sessions/lock.ts";
import { requireClaim } from "../../identity/sign-in/sign-up.ts";
import {
  countEmails,
  deleteEmail,
  findAddressOwner,
  findEmail,
  findPrimary,
  makePrimary,
  pageOfEmails,
  rememberFormerEmail,
} from "../../identity/users/emails/public.ts";
import type { AdmittedSession } from "../../rpc/gate.ts";
import { cutPage } from "../../rpc/schemas.ts";
import type { UserEmailsTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import { MAX_EMAILS } from "./limits.ts";
import type { UndoState } from "./undo.ts";
import { toWireEmail, type WireEmail } from "./wire.ts";

const UNDO_LIFETIME = 7 * DAY;

/** Lists and changes the addresses of the person that a session belongs to. */
export class Addresses {
  constructor(
    private readonly identity: Pick<
      Identity,
      "accounts" | "attempts" | "clock" | "emailProofs" | "flows" | "notices" | "outbox" | "storage"
    >,
  ) {}

  async list({ session }: AdmittedSession, limit: number, cursor: string | null) {
    const after = cursor ?? "";
    const rows = await pageOfEmails(this.identity.storage.read, session.user_id, after, limit + 1);
    return cutPage(rows, limit, (row) => row.id, toWireEmail);
  }

  /**
   * Gives the same answer, status and work whether or not another account has the address. The owner of the address gets a
   * mail; the caller learns nothing. The address joins the list once it is proven.
   * @throws AppError `invalid_input`, `conflict` (on the list already, or the eleventh), `rate_limited`; `forbidden` if an
   * anonymous user may not become a person
   */
  async add(caller: AdmittedSession, said: string): Promise<StartedProof> {
    const { act, session } = caller;
    const { attempts, storage } = this.identity;
    if (session.is_anonymous === 1) requireClaim(act.application, "address");
    const email = canonicalEmail(said);
    if (!email) throw invalidField("email", emailProblem(said));
    const { address, canonical } = email;
    if ((await countEmails(storage.read, session.user_id)) >= MAX_EMAILS) throw tooMany();
    const network = await attempts.mail(act, "addresses", canonical);
    const found = await findAddressOwner(storage.read, session.tenant_id, canonical);
    if (found?.user_id === session.user_id) {
      throw new AppError("conflict", { message: "This address is already on your list." });
    }
    const known =
      found && standsFor(found) && ({ template: "email_known", to: found.address, reader: found.user_id } as const);
    return this.#mailProof(caller, { address, canonical, network, ...(known ? { known } : {}) });
  }

  /** Mails the proof of an unproven address on the list. @throws AppError `not_found`, `conflict`, `rate_limited` */
  async verify(caller: AdmittedSession, id: string): Promise<StartedProof> {
    const { act, session } = caller;
    const row = await findEmail(this.identity.storage.read, session.user_id, id);
    if (!row) throw new AppError("not_found");
    const { address, canonical } = row;
    if (row.verified_at !== null) throw new AppError("conflict", { message: "This address is already verified." });
    const network = await this.identity.attempts.mail(act, "addresses", canonical);
    return this.#mailProof(caller, { address, canonical, network });
  }

  /**
   * Takes a proven address only. Deletes the previous primary address if it was never proven: it may belong to a stranger, and
   * would be taken when the stranger signs up.
   * @throws AppError `not_found`, `conflict` (not proven), `rate_limited`, `token_revoked`
   */
  async makePrimary(caller: AdmittedSession, id: string): Promise<WireEmail> {
    const { act, session } = caller;
    const { attempts, storage, clock } = this.identity;
    const userId = session.user_id;
    // Each change sends two mails, and one of them holds a link that works for a week.
    await attempts.mail(act, "primary", userId);
    return storage.write(async (tx) => {
      const now = clock.now();
      await lockSession(tx, session, now);
      const target = await findEmail(tx, userId, id);
      if (!target) throw new AppError("not_found");
      if (target.verified_at === null) throw new AppError("conflict", { message: "Verify this address first." });
      if (target.is_primary === 1) return toWireEmail(target);
      const before = await findPrimary(tx, userId);
      await makePrimary(tx, userId, id);
      if (before?.verified_at === null) await deleteEmail(tx, before.id);
      await act.audit(tx, now, "email.changed", userRef(userId));
      if (before) await this.#notifyOld(tx, now, caller, before, target);
      const values = { email: target.address };
      await this.identity.notices.notify(tx, now, act, { kind: "address", template: "email_added", userId, values });
      return toWireEmail({ ...target, is_primary: 1 });
    });
  }

  /** @throws AppError `not_found`, `conflict` for the primary or the only address, `token_revoked` */
  remove(caller: AdmittedSession, id: string): Promise<void> {
    const { act, session } = caller;
    const { accounts, notices, storage, clock } = this.identity;
    const userId = session.user_id;
    return storage.write(async (tx) => {
      const now = clock.now();
      await lockSession(tx, session, now);
      const row = await findEmail(tx, userId, id);
      if (!row) throw new AppError("not_found");
      if (row.is_primary === 1) {
        throw new AppError("conflict", {
          message: "This is the primary address. Make another address the primary one first.",
        });
      }
      // Without an address nobody can sign in by a password or a mail.
      if ((await countEmails(tx, userId)) === 1) {
        throw new AppError("conflict", { message: "This is your only address. Add another one first." });
      }
      await deleteEmail(tx, id);
      const { address, canonical, tenant_id, verified_at } = row;
      if (verified_at !== null) {
        const former = { user_id: userId, canonical, tenant_id, address, verified_at, removed_at: now };
        await rememberFormerEmail(tx, former);
      }
      await accounts.credentialChanged(tx, now, act, { userId, keep: session.sid, reason: "address_removed" });
      const values = { email: row.address };
      const notice = { kind: "address", template: "email_removed", userId, values } as const;
      await notices.notify(tx, now, act, notice);
      if (row.verified_at !== null) await notices.notify(tx, now, act, { ...notice, to: row.address });
    });
  }

  /**
   * Tells the old address, with a link that undoes the change unless the old address joined the account after the new one, or
   * the new one has {@link isStanding long been proven}. An
   * attacker who holds the account for a while, and moves to another address and back, gets no link to return with a week
   * later.
   */
  async #notifyOld(
    tx: Executor,
    now: number,
    { act, session }: AdmittedSession,
    before: UserEmailsTable,
    target: UserEmailsTable,
  ): Promise<void> {
    const { notices, emailProofs } = this.identity;
    const { application } = act;
    if (before.verified_at === null || application.tenant.noticesOff.has("address")) return;
    const isUndone = !isStanding(target, now);
    const isSenior = before.verified_at <= (target.verified_at ?? now) || before.created_at <= target.created_at;
    const state: UndoState = { address: before.address, canonical: before.canonical, changedAt: now };
    const proof =
      isUndone && isSenior
        ? await emailProofs.start(tx, {
            kind: "undo_email_change",
            tenantId: session.tenant_id,
            applicationId: application.id,
            userId: session.user_id,
            state: { ...state, email: before.address },
            lifetime: UNDO_LIFETIME,
          })
        : null;
    await notices.notify(tx, now, act, {
      kind: "address",
      template: "email_changed",
      userId: session.user_id,
      to: before.address,
      values: {
        old_email: before.address,
        new_email: target.address,
        link: proof ? linkOf(application.tenant, proof.token) : "",
        days: proof ? String(UNDO_LIFETIME / DAY) : "",
      },
    });
  }

  #mailProof(
    { act, session }: AdmittedSession,
    mail: Omit<Parameters<typeof mailVerification>[3], "userId" | "sid">,
  ): Promise<StartedProof> {
    const { storage, clock } = this.identity;
    return storage.write(async (tx) => {
      await lockSession(tx, session, clock.now());
      return mailVerification(this.identity, tx, act, { ...mail, userId: session.user_id, sid: session.sid });
    });
  }
}

function tooMany(): AppError {
  return new AppError("conflict", { message: `An account has at most ${MAX_EMAILS} addresses. Remove one first.` });
}
