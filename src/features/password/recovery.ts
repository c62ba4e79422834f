import { AppError } from "../../core/errors.ts";
import type { RevocableKind } from "../../core/feature.ts";
import { mayActFor } from "../../identity/accounts/may-act.ts";
import type { Act } from "../../identity/applications/act.ts";
import { userRef } from "../../identity/audit/act.ts";
import type { DeviceVisit } from "../../identity/devices/devices.ts";
import { checkProof } from "../../identity/email-proofs/mailed.ts";
import type { Proof, SharedProof } from "../../identity/email-proofs/proofs.ts";
import { mailReset, type ResetState } from "../../identity/email-proofs/reset.ts";
import type { Identity } from "../../identity/identity.ts";
import { findAddressOf, findAddressOwner } from "../../identity/users/emails/public.ts";
import { lockUser } from "../../identity/users/public.ts";
import { BY_PASSWORD, requireEmail } from "./admission.ts";
import type { PasswordHashing } from "./hashing.ts";
import { putPassword } from "./store.ts";

/** Sets a new password for a user who proves the account's address. */
export class Recovery {
  constructor(
    private readonly identity: Pick<
      Identity,
      "accounts" | "attempts" | "clock" | "devices" | "emailProofs" | "flows" | "outbox" | "signIns" | "storage"
    >,
    private readonly hashing: PasswordHashing,
  ) {}

  /**
   * Gives the same answer, status and work whether or not there is an account.
   * @throws AppError `forbidden`, `invalid_input`, `rate_limited`
   */
  async forgot(act: Act, email: string): Promise<SharedProof> {
    const { attempts, storage } = this.identity;
    const { application } = act;
    this.identity.signIns.requireMethod(application, BY_PASSWORD.method);
    const { canonical } = requireEmail(email);
    const found = await findAddressOwner(storage.read, application.tenant.id, canonical);
    const network = await attempts.mailRequest(act, found?.user_id ?? canonical);
    const owner =
      found && mayActFor(found) ? { userId: found.user_id, emailId: found.email_id, address: found.address } : null;
    return storage.write((tx) => mailReset(this.identity, tx, act, { canonical, owner, network }));
  }

  /**
   * Ends every session and every unfinished sign-in. Signs nobody in: a second factor is asked for as before. The device is known
   * from now on, so that no stranger's guesses keep it from the sign-in that follows.
   * @param sid the session that came with the request, or null
   * @returns the secret of the device, and the kinds of credentials from before the first proof of the address, which were
   * removed
   * @throws AppError `invalid_code`, `invalid_input`, `rate_limited`, `overloaded`
   */
  async reset(
    asked: Act,
    { proof, password, sid }: { proof: Proof; password: string; sid: string | null },
  ): Promise<{ visit: DeviceVisit; removed: readonly RevocableKind[] }> {
    const { application, origin } = asked;
    const { accounts, attempts, devices, signIns, storage, clock } = this.identity;
    signIns.requireMethod(application, BY_PASSWORD.method);
    // A password that no account may have costs no try of the code.
    await this.hashing.requireGood("new_password", password, [application.name]);
    const { flow, state, spend } = await checkProof(this.identity, asked, ["reset_password"], proof);
    const { emailId } = state as unknown as ResetState;
    const userId = flow.user_id;
    if (userId === null || emailId === null) throw new AppError("invalid_code");
    const address = { userId, emailId };
    const found = await findAddressOf(storage.read, address);
    if (!found || !mayActFor(found)) throw new AppError("invalid_code");
    await this.hashing.requireGood("new_password", password, [found.address, found.display_name, application.name]);
    const act = asked.by(userRef(userId));
    const hash = await this.hashing.hashNew("new_password", password, origin);
    return storage.write(async (tx) => {
      const now = clock.now();
      // The hash took time: the account may be gone, disabled, or without this address by now. Every act locks the user's row
      // first, so that two acts on one account run one after the other and never deadlock.
      if (!(await lockUser(tx, application.tenant.id, userId, now))) throw new AppError("invalid_code");
      await spend(tx);
      const still = await findAddressOf(tx, address);
      if (!still || !mayActFor(still)) throw new AppError("invalid_code");
      const removed = await accounts.actByMail(tx, now, act, address, sid);
      await putPassword(tx, { userId, tenantId: application.tenant.id, hash, now });
      await accounts.credentialChanged(tx, now, act, { userId, keep: null, reason: "password_reset" });
      await attempts.forgive(tx, act, userId);
      const user = { id: userId, tenant_id: application.tenant.id };
      return { visit: await devices.visit(tx, now, user, act.device()), removed };
    });
  }
}
