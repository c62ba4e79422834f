import type { RequestOrigin } from "../../core/caller.ts";
import { canonicalEmail } from "../../core/email.ts";
import { AppError } from "../../core/errors.ts";
import type { Application } from "../../identity/applications/application.ts";
import { appendRefusal } from "../../identity/audit/refusals.ts";
import { appendAudit } from "../../identity/audit/store.ts";
import type { Identity } from "../../identity/identity.ts";
import { lockSession } from "../../identity/sessions/lock.ts";
import type { SignInOutcome } from "../../identity/sessions/sign-in.ts";
import type { SessionBundle } from "../../identity/sessions/store.ts";
import { claimUser } from "../../identity/users/store.ts";
import type { Delivery } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import { requirePasswords } from "./admission.ts";
import type { PasswordHashing } from "./hashing.ts";
import { addPassword, findByEmail, findPassword, lockPassword, replacePassword } from "./store.ts";

interface Caller {
  application: Application;
  origin: RequestOrigin;
}
type Owner = Caller & { session: SessionBundle };

interface PasswordSignIn extends Caller {
  email: string;
  password: string;
  organization: string | null;
  audience: string | null;
  delivery: Delivery;
  replaces: string | null;
  trustedDevice: string | null;
}

/** The rules of passwords: who is signed in by one, and what a new one does to other sessions. */
export class Passwords {
  constructor(
    private readonly identity: Identity,
    private readonly hashing: PasswordHashing,
  ) {}

  /**
   * The same answer, status and work for a wrong password, an unknown address, an account without a password and a
   * disabled one. @throws AppError `invalid_credentials`, `rate_limited`, `overloaded`
   */
  async signIn(signIn: PasswordSignIn): Promise<SignInOutcome> {
    const { application, origin, password } = signIn;
    requirePasswords(application);
    const email = canonicalEmail(signIn.email);
    // What is no address has no account; it is refused as an unknown one is, after the same work.
    const canonical = email?.canonical ?? "";
    await this.identity.attempts.proof(application, "account", canonical, origin);
    const account = await findByEmail(this.identity.storage.read, application.tenant.id, canonical);
    const right = await this.hashing.verify(account?.hash ?? null, password, origin);
    if (!right || account?.version == null || account.disabled_at !== null || account.deleted_at !== null) {
      await this.#tellRefusal(application, account?.user_id ?? null, origin);
      throw new AppError("invalid_credentials");
    }
    const version = account.version;
    const renewed =
      account.hash !== null && this.hashing.needsRehash(account.hash)
        ? await this.hashing.hash(password, origin)
        : null;
    return this.identity.signIns.complete({
      application,
      origin,
      method: "password",
      amr: ["pwd"],
      aal: "aal1",
      delivery: signIn.delivery,
      audience: signIn.audience,
      organization: signIn.organization,
      replaces: signIn.replaces,
      trustedDevice: signIn.trustedDevice,
      commit: async (tx, now) => {
        // The hash took its time: a password that was changed meanwhile signs nobody in.
        if (!(await lockPassword(tx, account.user_id, version))) throw new AppError("invalid_credentials");
        if (renewed !== null) {
          await replacePassword(tx, { userId: account.user_id, version, hash: renewed, newVersion: version, now });
        }
        await this.identity.attempts.forgive(tx, application, "account", canonical, origin);
        return account.user_id;
      },
    });
  }

  /** Ends the user's other sessions. @throws AppError `invalid_credentials`, `invalid_input`, `rate_limited` */
  async change(caller: Owner & { current: string; next: string }): Promise<void> {
    const { application, origin, session } = caller;
    await this.#requireGood(caller, caller.next);
    await this.identity.attempts.proof(application, "account", session.user_id, origin);
    const stored = await findPassword(this.identity.storage.read, session.user_id);
    if (!(await this.hashing.verify(stored?.hash ?? null, caller.current, origin)) || !stored) {
      await this.#tellRefusal(application, session.user_id, origin);
      throw new AppError("invalid_credentials", { message: "The current password is wrong." });
    }
    const hash = await this.hashing.hash(caller.next, origin);
    await this.identity.storage.write(async (tx) => {
      const now = this.identity.clock.now();
      const userId = session.user_id;
      const { version } = stored;
      await lockSession(tx, session, now);
      if (!(await replacePassword(tx, { userId, version, hash, newVersion: version + 1, now }))) {
        throw new AppError("conflict", { message: "The password was changed by another request." });
      }
      await this.#tellChange(tx, now, caller, "password.changed");
      await this.identity.attempts.forgive(tx, application, "account", userId, origin);
    });
  }

  /**
   * The first password of somebody who signs in by other means. Ends their other sessions.
   * @throws AppError `conflict` when there is one: that takes the current one, or a mail
   */
  async set(caller: Owner & { next: string }): Promise<void> {
    const { application, origin, session } = caller;
    const { storage, clock } = this.identity;
    requirePasswords(application);
    await this.#requireGood(caller, caller.next);
    const userId = session.user_id;
    if (await findPassword(storage.read, userId)) throw hasOne();
    const hash = await this.hashing.hash(caller.next, origin);
    await storage.write(async (tx) => {
      const now = clock.now();
      await lockSession(tx, session, now);
      if (!(await addPassword(tx, { userId, tenantId: session.tenant_id, hash, now }))) throw hasOne();
      await claimUser(tx, userId, now);
      await this.#tellChange(tx, now, caller, "password.set");
    });
  }

  #requireGood({ application, session }: Owner, password: string): Promise<void> {
    return this.hashing.requireGood("new_password", password, [session.email, session.display_name, application.name]);
  }

  /** What began before the new password does not go on after it: other sessions, sign-ins half-way, mailed proofs. */
  async #tellChange(tx: Executor, now: number, { application, origin, session }: Owner, action: string): Promise<void> {
    const { flows, notices, secondFactors, sessions } = this.identity;
    const userId = session.user_id;
    const tenantId = application.tenant.id;
    const actor = { kind: "user", id: userId } as const;
    const target = { kind: "user", id: userId };
    await appendAudit(tx, now, { tenantId, actor, action, target, applicationId: application.id, origin });
    // The flows first: a sign-in that is just finishing one has committed its session by then, or finds it ended.
    await flows.endEvery(tx, userId, { kind: "undo_email_change", before: null });
    await secondFactors.endAll(tx, userId);
    await sessions.endAll(
      tx,
      userId,
      { keep: session.sid, everyApplication: true },
      { tenantId, application, actor, origin, reason: "password_changed" },
    );
    await notices.tell(tx, now, { kind: "password", template: "password_changed", application, userId, origin });
  }

  #tellRefusal(application: Application, userId: string | null, origin: RequestOrigin): Promise<void> {
    const now = this.identity.clock.now();
    return this.identity.storage.write((tx) =>
      appendRefusal(tx, now, {
        tenantId: application.tenant.id,
        actor: { kind: "anonymous", id: null },
        action: "sign_in.refused",
        ...(userId === null ? {} : { target: { kind: "user", id: userId } }),
        applicationId: application.id,
        origin,
        details: { method: "password" },
      }),
    );
  }
}

function hasOne(): AppError {
  return new AppError("conflict", {
    message: "There is a password already. Change it with the current one, or ask for a reset.",
  });
}
