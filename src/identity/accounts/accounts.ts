import type { Clock } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { RevocableKind } from "../../core/feature.ts";
import { deleteMailsOf } from "../../mail/store.ts";
import type { Executor } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";
import { revokeTokens } from "../applications/revoke-tokens.ts";
import { SYSTEM, type Target, userRef } from "../audit/act.ts";
import { deleteAccountDevices } from "../devices/public.ts";
import { deleteTrustedDevices } from "../factors/public.ts";
import type { SecondFactors } from "../factors/second-factors.ts";
import type { Flows } from "../flows/flows.ts";
import { deleteFlowsOf, SIGN_IN_KINDS } from "../flows/public.ts";
import type { Notices } from "../notices/notices.ts";
import { isLockedLive } from "../sessions/lock.ts";
import { deleteSessionsOf } from "../sessions/public.ts";
import type { Ending, Sessions } from "../sessions/sessions.ts";
import {
  type AddressRef,
  deleteEmail,
  deleteFormerEmails,
  findAddressOf,
  findAddressOwner,
  findPrimary,
  findProvenEmail,
  isOnlyUnproven,
  lockProvenAddress,
  makePrimary,
  verifyEmail,
} from "../users/emails/public.ts";
import { lockUser, tombstoneUser } from "../users/public.ts";
import { CONSEQUENCES, type Consequences, type CredentialChange } from "./credential-changes.ts";
import type { Farewells } from "./farewell.ts";
import { standsFor } from "./may-act.ts";
import { proofEffect } from "./proof-effect.ts";

/** Deletes the rows that a feature keeps about a user. */
export type Erasure = (tx: Executor, userId: string) => Promise<void>;

/** Removes all credentials of a user, or only those added at `since` (ms) or later. Returns the kinds that it removed. */
export type CredentialRevocation = (
  tx: Executor,
  userId: string,
  revocation: { since: number | null },
) => Promise<readonly RevocableKind[]>;

interface AnyChange {
  userId: string;
  /** The session that stays alive, or null. */
  keep: string | null;
  /** The target of the audit entry. The default is the user. */
  target?: Target;
  details?: Record<string, unknown>;
}

type Change = AnyChange &
  (
    | { reason: Exclude<CredentialChange, "address_undone"> }
    | { reason: "address_undone"; undo: { flowId: string; changedAt: number } }
  );

type AddressHolder = NonNullable<Awaited<ReturnType<typeof findAddressOwner>>>;

/** Changes to an account as a whole. */
export class Accounts {
  constructor(
    private readonly clock: Clock,
    private readonly flows: Flows,
    private readonly sessions: Sessions,
    private readonly notices: Notices,
    private readonly secondFactors: SecondFactors,
    private readonly farewells: Farewells,
    private readonly erasures: readonly Erasure[],
    private readonly revocations: readonly CredentialRevocation[],
  ) {}

  /**
   * Lets a mail to this address act for its account, once its proof is spent. The caller holds the lock on the user's row,
   * unless the address was already proven when the caller read it. If the address was unproven, this call proves it, and
   * {@link proofEffect} decides whether everything from before is removed.
   * @param sid the session that came with the proof, or null
   * @returns the kinds of credentials that were removed
   * @throws AppError `invalid_code` when the address may no longer act for the account
   */
  async actByMail(
    tx: Executor,
    now: number,
    asked: Act,
    address: AddressRef,
    sid: string | null,
  ): Promise<readonly RevocableKind[]> {
    if (await lockProvenAddress(tx, address)) return [];
    const { userId, emailId } = address;
    const standing = await findAddressOf(tx, address);
    if (!standing) throw new AppError("invalid_code");
    const session = { tenant_id: asked.application.tenant.id, user_id: userId, sid };
    const effect = proofEffect({
      purpose: "enter",
      address: "unproven",
      hasOtherProven: standing.proven > 0,
      isOver: false,
      isFromAccount: sid !== null && (await isLockedLive(tx, session, now)),
    });
    if (effect.refuses !== null) throw new AppError(effect.refuses);
    const act = asked.by(userRef(userId));
    await verifyEmail(tx, userId, emailId, now);
    const removed =
      effect.removes === "everything"
        ? await this.credentialChanged(tx, now, act, { userId, keep: null, reason: "owner_proven" })
        : [];
    await act.audit(tx, now, "email.verified", userRef(userId));
    return removed;
  }

  /**
   * Refuses a new factor while the account's only address is unproven. Otherwise the first proof of the address would have to
   * choose between the owner and a stranger: keep the stranger's factor, or let a mailbox remove the owner's. An account
   * without an address is admitted, because nobody can come by mail.
   * @throws AppError `address_unproven`
   */
  async requireProven(at: Executor, userId: string): Promise<void> {
    if (await isOnlyUnproven(at, userId)) throw new AppError("address_unproven");
  }

  /**
   * Takes an address from an account that may not act by it: the account never proved it, and has proven another one. Such a claim
   * must not keep the owner of the address from an account.
   */
  release(tx: Executor, now: number, act: Act, canonical: string): Promise<void> {
    return this.#take(tx, now, act, canonical, standsFor);
  }

  /**
   * Takes an address for an account that had proven it before, also from an account that acts by it without a proof. Otherwise
   * a stranger could bar the owner's way back by a sign-up with the address.
   * @throws AppError `conflict` if another account has proven the address meanwhile
   */
  async reclaim(tx: Executor, now: number, act: Act, userId: string, canonical: string): Promise<void> {
    const mayKeep = (holder: AddressHolder) => holder.user_id === userId || holder.verified_at !== null;
    await this.#take(tx, now, act, canonical, mayKeep);
    const holder = await findAddressOwner(tx, act.application.tenant.id, canonical);
    if (holder && holder.user_id !== userId) {
      throw new AppError("conflict", { message: "Another account has proven this address meanwhile." });
    }
  }

  /** Takes an address from its account, unless the account may keep it. The next proven address becomes the primary one. */
  async #take(
    tx: Executor,
    now: number,
    act: Act,
    canonical: string,
    mayKeep: (holder: AddressHolder) => boolean,
  ): Promise<void> {
    const tenantId = act.application.tenant.id;
    const seen = await findAddressOwner(tx, tenantId, canonical);
    if (!seen || mayKeep(seen) || !(await lockUser(tx, tenantId, seen.user_id, now))) return;
    const holder = await findAddressOwner(tx, tenantId, canonical);
    if (holder?.user_id !== seen.user_id || mayKeep(holder)) return;
    const { user_id: userId, email_id: emailId, address } = holder;
    const isPrimary = (await findPrimary(tx, userId))?.id === emailId;
    await deleteEmail(tx, emailId);
    const next = isPrimary ? await findProvenEmail(tx, userId) : undefined;
    if (next) await makePrimary(tx, userId, next.id);
    const target = userRef(userId);
    await act.by(SYSTEM).audit(tx, now, "email.removed", target);
    const values = { email: address };
    await this.notices.notify(tx, now, act, { kind: "address", template: "email_removed", userId, values });
  }

  /**
   * Applies every consequence of a credential change that {@link CONSEQUENCES} lists: revocations, ended flows and sessions,
   * the audit entry and the notice. The caller has made the change itself and holds the lock on the user's row, so that two
   * changes of one account run one after the other.
   * @returns the kinds of credentials that were revoked
   */
  async credentialChanged(tx: Executor, now: number, act: Act, change: Change): Promise<readonly RevocableKind[]> {
    const { userId, keep, reason } = change;
    const consequences: Consequences = CONSEQUENCES[reason];
    await act.audit(tx, now, consequences.audit, change.target ?? userRef(userId), change.details);
    const removed: RevocableKind[] = [];
    if (consequences.revokes !== "nothing") {
      const since = change.reason === "address_undone" ? change.undo.changedAt : null;
      for (const revoke of this.revocations) removed.push(...(await revoke(tx, userId, { since })));
    }
    const losesFactors = consequences.revokes !== "nothing" || consequences.sessions === "factor_changed";
    if (losesFactors) await this.secondFactors.forgetBackups(tx, userId);
    // Flows end before sessions: a sign-in that is finishing a flow has either committed its session by now or finds the flow
    // ended.
    await this.#endFlows(tx, change, consequences.flows);
    if (consequences.trustedDevices) await deleteTrustedDevices(tx, userId);
    // A stranger's device must count as new, and a stranger's address must not hear of the account.
    if (consequences.knownDevices) {
      await deleteAccountDevices(tx, userId);
      await deleteFormerEmails(tx, userId);
    }
    if (consequences.sessions !== null) {
      await this.sessions.endAll(tx, act, userId, { reason: consequences.sessions, keep, everyApplication: true });
    }
    const { notice } = consequences;
    if (notice?.template === "access_removed") {
      const values = { removed: removed.join(",") };
      if (removed.length > 0) await this.notices.notify(tx, now, act, { ...notice, userId, values });
    } else if (notice) {
      await this.notices.notify(tx, now, act, { ...notice, userId });
    }
    return removed;
  }

  async #endFlows(tx: Executor, change: Change, ends: Consequences["flows"]): Promise<void> {
    const { flows } = this;
    const { userId } = change;
    const before = change.reason === "address_undone" ? change.undo.flowId : null;
    switch (ends) {
      case "none":
        return;
      case "half_sign_ins":
        return flows.endAll(tx, userId, "mfa");
      case "mailed":
        for (const kind of ["reset_password", "sign_in"]) await flows.endAll(tx, userId, kind);
        return;
      case "all_but_undo":
      case "all_but_earlier_undo":
        return flows.endEvery(tx, userId, { kind: "undo_email_change", before });
      case "all":
        return flows.endEvery(tx, userId, { kind: "", before: null });
      case "erased":
        return deleteFlowsOf(tx, userId);
    }
  }

  /**
   * Ends a user's sessions together with every sign-in that is still under way: a mailed link or code, and a first factor that
   * waits for the second. Otherwise an intruder who has asked for a link returns after the owner signed out everywhere. Flows end
   * before sessions, as in {@link credentialChanged}. @returns how many sessions ended
   */
  async signOut(tx: Executor, act: Act, userId: string, ending: Ending): Promise<number> {
    const applicationId = ending.everyApplication ? null : act.application.id;
    for (const kind of SIGN_IN_KINDS) await this.flows.endAll(tx, userId, kind, applicationId);
    return this.sessions.endAll(tx, act, userId, ending);
  }

  /**
   * Deletes the personal data, ends the user's sessions in every application and tells verifiers. The id and the external id
   * stay, so that nobody else gets them later. {@link Farewells} reports it.
   * @throws AppError `not_found` for a user of another tenant or a user who was deleted before
   */
  async delete(tx: Executor, act: Act, userId: string): Promise<void> {
    const tenantId = act.application.tenant.id;
    const now = this.clock.now();
    const farewell = await this.farewells.prepare(tx, now, act, userId);
    if (!(await tombstoneUser(tx, tenantId, userId, now))) throw new AppError("not_found");
    for (const erase of this.erasures) await erase(tx, userId);
    await deleteFlowsOf(tx, userId);
    await deleteMailsOf(tx, userId);
    await deleteTrustedDevices(tx, userId);
    await deleteAccountDevices(tx, userId);
    await deleteFormerEmails(tx, userId);
    await this.sessions.endAll(tx, act, userId, { reason: "user_deleted", keep: null, everyApplication: true });
    await deleteSessionsOf(tx, userId);
    // A session's revocation lives as long as one application's tokens. This one outlives the tokens of every application.
    await revokeTokens(tx, now, { tenantId, applicationId: null, kind: "sub", id: userId });
    await act.audit(tx, now, "user.deleted", userRef(userId));
    await this.farewells.send(tx, now, act, farewell);
  }
}
