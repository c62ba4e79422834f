import { canonicalEmail } from "../../core/email.ts";
import { AppError } from "../../core/errors.ts";
import type { Act } from "../../identity/applications/act.ts";
import { userRef } from "../../identity/audit/act.ts";
import type { Identity } from "../../identity/identity.ts";
import { lockSession } from "../../identity/sessions/lock.ts";
import type { SessionBundle } from "../../identity/sessions/public.ts";
import type { SignInOutcome, SignInRequest } from "../../identity/sign-in/sign-ins.ts";
import { countEmails, findAddressOwner } from "../../identity/users/emails/public.ts";
import { BY_PASSWORD } from "./admission.ts";
import type { PasswordHashing } from "./hashing.ts";
import { addPassword, findPassword, lockPassword, replacePassword } from "./store.ts";

/** The user of a session, who changes their own password. */
interface Owner {
  act: Act;
  session: SessionBundle;
}

/** Signs in by password, and changes passwords with the effect on other sessions. */
export class Passwords {
  constructor(
    private readonly identity: Pick<Identity, "accounts" | "attempts" | "clock" | "signIns" | "storage">,
    private readonly hashing: PasswordHashing,
  ) {}

  /**
   * Gives the same answer, status and work for a wrong password, an unknown address, an account without a password and a
   * disabled account. @throws AppError `invalid_credentials`, `rate_limited`, `overloaded`
   */
  async signIn(request: SignInRequest, given: { email: string; password: string }): Promise<SignInOutcome> {
    const { act } = request;
    const { application, origin } = act;
    const { password } = given;
    this.identity.signIns.requireMethod(application, BY_PASSWORD.method);
    const email = canonicalEmail(given.email);
    // A text that is not an address has no account. It gets the refusal of an unknown address, after the same work.
    const canonical = email?.canonical ?? "";
    const { attempts, storage } = this.identity;
    const account = await findAddressOwner(storage.read, application.tenant.id, canonical);
    // One account has one budget, by whichever of its addresses it is named.
    const taken = await attempts.guess(act, "password", account?.user_id ?? canonical);
    // Read whether or not there is an account: one read less would show that there is none.
    const stored = await findPassword(storage.read, account?.user_id ?? "");
    const right = await this.hashing.verify(stored?.hash ?? null, password, origin);
    if (!right || !account || !stored || account.disabled_at !== null || account.deleted_at !== null) {
      await this.#auditRefusal(act, account?.user_id ?? null);
      throw new AppError("invalid_credentials");
    }
    const { version } = stored;
    const renewed = this.hashing.needsRehash(stored.hash) ? await this.hashing.hash(password, origin) : null;
    return this.identity.signIns.complete(request, {
      ...BY_PASSWORD,
      userId: account.user_id,
      keepsUser: true,
      commit: async (tx, now) => {
        // The hash took time: a password that was changed meanwhile must not sign in.
        if (!(await lockPassword(tx, account.user_id, version))) throw new AppError("invalid_credentials");
        if (renewed !== null) {
          await replacePassword(tx, { userId: account.user_id, version, hash: renewed, newVersion: version, now });
        }
        await taken.giveBack(tx);
        return account.user_id;
      },
    });
  }

  /** Ends the user's other sessions. @throws AppError `invalid_credentials`, `invalid_input`, `rate_limited` */
  async change(owner: Owner, { current, next }: { current: string; next: string }): Promise<void> {
    const { act, session } = owner;
    const { origin } = act;
    await this.#requireGood(owner, next);
    const taken = await this.identity.attempts.guess(act, "password", session.user_id, session.sid);
    const stored = await findPassword(this.identity.storage.read, session.user_id);
    if (!(await this.hashing.verify(stored?.hash ?? null, current, origin)) || !stored) {
      await this.#auditRefusal(act, session.user_id);
      throw new AppError("invalid_credentials", { message: "The current password is wrong." });
    }
    const hash = await this.hashing.hashNew("new_password", next, origin);
    await this.identity.storage.write(async (tx) => {
      const now = this.identity.clock.now();
      const userId = session.user_id;
      const { version } = stored;
      await lockSession(tx, session, now);
      if (!(await replacePassword(tx, { userId, version, hash, newVersion: version + 1, now }))) {
        throw new AppError("conflict", {
          message: "Another request changed the password. Try again with the new one.",
        });
      }
      const change = { userId, keep: session.sid, reason: "password_changed" } as const;
      await this.identity.accounts.credentialChanged(tx, now, act, change);
      await taken.giveBack(tx);
    });
  }

  /**
   * Sets the first password of a user who signs in by other means. Ends the user's other sessions.
   * @throws AppError `conflict` if there is a password: a change takes the current one, or a mail; `forbidden` for a user
   * without an address, who could never sign in by a password
   */
  async set(owner: Owner, next: string): Promise<void> {
    const { act, session } = owner;
    const { accounts, signIns, storage, clock } = this.identity;
    signIns.requireMethod(act.application, BY_PASSWORD.method);
    if (session.is_anonymous === 1) throw needsAddress();
    await this.#requireGood(owner, next);
    const userId = session.user_id;
    if (await findPassword(storage.read, userId)) throw hasOne();
    const hash = await this.hashing.hashNew("new_password", next, act.origin);
    await storage.write(async (tx) => {
      const now = clock.now();
      await lockSession(tx, session, now);
      if ((await countEmails(tx, userId)) === 0) throw lacksAddress();
      if (!(await addPassword(tx, { userId, tenantId: session.tenant_id, hash, now }))) throw hasOne();
      await accounts.credentialChanged(tx, now, act, { userId, keep: session.sid, reason: "password_set" });
    });
  }

  #requireGood({ act, session }: Owner, password: string): Promise<void> {
    const context = [session.email, session.display_name, act.application.name];
    return this.hashing.requireGood("new_password", password, context);
  }

  #auditRefusal(act: Act, userId: string | null): Promise<void> {
    const now = this.identity.clock.now();
    const target = userId === null ? null : userRef(userId);
    return this.identity.storage.write((tx) =>
      act.auditRefusal(tx, now, "sign_in.refused", target, { method: "password" }),
    );
  }
}

function needsAddress(): AppError {
  return new AppError("forbidden", {
    message: "An anonymous user sets a password together with an address: POST /v1/auth/anonymous/upgrade.",
  });
}

function lacksAddress(): AppError {
  return new AppError("forbidden", {
    message: "You sign in by a password together with an address. Add an address first, and prove it.",
  });
}

function hasOne(): AppError {
  return new AppError("conflict", {
    message: "You have a password already. Change it with the current one, or ask for a reset.",
  });
}
