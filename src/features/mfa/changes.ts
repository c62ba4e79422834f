import { AppError } from "../../core/errors.ts";
import type { Act } from "../../identity/applications/act.ts";
import { userRef } from "../../identity/audit/act.ts";
import type { Identity } from "../../identity/identity.ts";
import { findSession, isLiveSession, type SessionBundle } from "../../identity/sessions/store.ts";
import { lockUser } from "../../identity/users/store.ts";
import type { Executor } from "../../storage/storage.ts";
import type { RecoveryCodes } from "./recovery-codes.ts";
import { deleteCodes, deleteTotp } from "./store.ts";

interface Owner {
  /** By the user. */
  act: Act;
  userId: string;
}

interface Change extends Owner {
  /** The session that asks, and goes on; null for none. */
  keep: string | null;
  change: "added" | "removed";
  /** As the notice's language has a word for it. */
  factor: "totp" | "recovery_codes";
}

export interface FactorCaller {
  act: Act;
  session: SessionBundle;
}

/** What happens around a change of somebody's second factors: who is signed out, who is told, and what goes with it. */
export class FactorChanges {
  constructor(
    private readonly identity: Identity,
    private readonly recoveryCodes: RecoveryCodes,
  ) {}

  /**
   * Changes of one user's factors come one after the other, and none follows the end of the session that asked for it: the
   * owner who has just signed everybody out is not answered by the stranger's change.
   * @throws AppError `token_revoked`
   */
  async lock(tx: Executor, { act, userId, sid }: Owner & { sid: string | null }): Promise<void> {
    const now = this.identity.clock.now();
    const isThere = await lockUser(tx, act.application.tenant.id, userId, now);
    const session = isThere && sid !== null ? await findSession(tx, sid) : null;
    const isLive = session === null || (session && isLiveSession(session, now));
    if (!isThere || !isLive) throw new AppError("token_revoked");
  }

  /** Whatever was proven before the change counts no more: other sessions, half sign-ins, trusted devices. */
  async made(tx: Executor, now: number, made: Change): Promise<void> {
    const { act, userId, keep } = made;
    // The flows first: a sign-in that is just finishing one has committed its session by then, or finds it ended.
    await this.identity.secondFactors.endAll(tx, userId);
    const ending = { reason: "factor_changed", keep, everyApplication: true } as const;
    await this.identity.sessions.endAll(tx, act, userId, ending);
    await this.#record(tx, now, made);
  }

  /**
   * Takes the authenticator app away, and the codes that stood in for it.
   * @throws AppError `conflict` for who has none, `forbidden` where the application requires one and there is no other
   */
  async removeTotp({ act, session }: FactorCaller): Promise<void> {
    const { storage, clock, secondFactors } = this.identity;
    const userId = session.user_id;
    await storage.write(async (tx) => {
      const now = clock.now();
      const owner = { act, userId };
      await this.lock(tx, { ...owner, sid: session.sid });
      if (!(await deleteTotp(tx, userId))) {
        throw new AppError("conflict", { message: "There is no authenticator app to take away." });
      }
      await deleteCodes(tx, userId);
      const left = await secondFactors.enrolled(tx, userId, null);
      if (act.application.mfa === "required" && left.length === 0) {
        throw new AppError("forbidden", {
          message: "This application requires a second factor. Set up another one first, or a new app in its place.",
        });
      }
      await this.made(tx, now, { ...owner, keep: session.sid, change: "removed", factor: "totp" });
    });
  }

  /** @throws AppError `conflict` for who has no factor that the codes could stand in for */
  async renewCodes({ act, session }: FactorCaller): Promise<string[]> {
    const { storage, clock, secondFactors } = this.identity;
    const userId = session.user_id;
    const codes = this.recoveryCodes.generate();
    await storage.write(async (tx) => {
      const now = clock.now();
      const owner = { act, userId };
      await this.lock(tx, { ...owner, sid: session.sid });
      if ((await secondFactors.enrolled(tx, userId, null)).length === 0) {
        throw new AppError("conflict", { message: "There is no second factor yet that the codes would stand in for." });
      }
      await this.recoveryCodes.keep(tx, now, { id: userId, tenantId: session.tenant_id }, codes);
      await this.#record(tx, now, { ...owner, keep: session.sid, change: "added", factor: "recovery_codes" });
    });
    return codes;
  }

  async #record(tx: Executor, now: number, { act, userId, change, factor }: Change): Promise<void> {
    await act.audit(tx, now, change === "added" ? "factor.added" : "factor.removed", userRef(userId), { factor });
    const template = change === "added" ? "factor_added" : "factor_removed";
    await this.identity.notices.notify(tx, now, act, { kind: "factor", template, userId, values: { factor } });
  }
}
