import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { openKept } from "../../identity/accounts/farewell.ts";
import type { Act } from "../../identity/applications/act.ts";
import { userRef } from "../../identity/audit/act.ts";
import { checkProof } from "../../identity/email-proofs/mailed.ts";
import { mailReset } from "../../identity/email-proofs/reset.ts";
import type { Identity } from "../../identity/identity.ts";
import { insertEmail, reviveUser } from "../../identity/users/public.ts";

/** Restores a deleted account for the reader of the mail about its deletion. */
export class Restoration {
  constructor(
    private readonly identity: Pick<
      Identity,
      "accounts" | "attempts" | "clock" | "emailProofs" | "flows" | "outbox" | "storage"
    >,
  ) {}

  /**
   * Brings back the id, the profile, the metadata and the address of the mail, without any credential, and mails a link to a new
   * password. Signs nobody in. The links in the other mails about this deletion end, because the account is no longer deleted.
   * @throws AppError `invalid_code`, `conflict` if another account has proven the address meanwhile
   */
  async restore(asked: Act, token: string): Promise<void> {
    const { accounts, clock, storage } = this.identity;
    const { state, spend } = await checkProof(this.identity, asked, ["restore_account"], { token });
    const kept = openKept(token, String(state.sealed));
    const { userId, address, canonical } = kept;
    const act = asked.by(userRef(userId));
    await storage.write(async (tx) => {
      const now = clock.now();
      const tenantId = act.application.tenant.id;
      await spend(tx);
      if (!(await reviveUser(tx, tenantId, userId, kept, now))) throw new AppError("invalid_code");
      await accounts.reclaim(tx, now, act, userId, canonical);
      const emailId = newId(clock.now());
      await insertEmail(tx, { id: emailId, tenantId, userId, address, canonical, now, isVerified: true });
      await act.audit(tx, now, "user.restored", userRef(userId));
      if (act.application.signInMethods.has("password")) {
        await mailReset(this.identity, tx, act, { canonical, owner: { userId, emailId, address } });
      }
    });
  }
}
