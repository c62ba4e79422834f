import type { RequestOrigin } from "../../core/caller.ts";
import type { Clock } from "../../core/clock.ts";
import { canonicalEmail, type EmailAddress } from "../../core/email.ts";
import { AppError, invalidField } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import type { PasswordHasher } from "../../crypto/password-hash.ts";
import { checkPassword } from "../../crypto/password-policy.ts";
import { appendRefusal } from "../../identity/audit/refusals.ts";
import { appendAudit } from "../../identity/audit/store.ts";
import type { Identity } from "../../identity/identity.ts";
import type { SignInOutcome } from "../../identity/sessions/sign-in.ts";
import type { SessionBundle } from "../../identity/sessions/store.ts";
import type { Application } from "../../identity/tenants/directory.ts";
import { insertEmail, insertUser } from "../../identity/users/store.ts";
import { isUniqueViolation } from "../../storage/errors.ts";
import type { Delivery } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import { findByEmail, findPassword, holdPassword, insertPassword, replacePassword } from "./store.ts";

interface Caller {
  application: Application;
  origin: RequestOrigin;
}

export interface Registration extends Caller {
  email: string;
  password: string;
  displayName: string | null;
  metadata: Record<string, unknown>;
  delivery: Delivery;
  replaces: string | null;
}

export interface PasswordSignIn extends Caller {
  email: string;
  password: string;
  organization: string | null;
  audience: string | null;
  delivery: Delivery;
  replaces: string | null;
  trustedDevice: string | null;
}

/** The rules of passwords: who may sign up, who is signed in, and what a change does to other sessions. */
export class Passwords {
  constructor(
    private readonly identity: Identity,
    private readonly clock: Clock,
    private readonly hasher: PasswordHasher,
    private readonly minLength: number,
  ) {}

  /** @throws AppError `forbidden` (closed), `invalid_input`, `conflict` (known address), `rate_limited`, `overloaded` */
  async register(registration: Registration): Promise<SignInOutcome> {
    const { application, origin } = registration;
    requirePasswords(application);
    if (application.signUp === "closed") {
      throw new AppError("forbidden", { message: "Sign-up is closed for this application." });
    }
    const email = requireEmail(registration.email);
    const context = [email.address, registration.displayName ?? "", application.name];
    await this.#requireGoodPassword("password", registration.password, context);
    await this.identity.attempts.signUp(application, origin);
    if (await findByEmail(this.identity.storage.read, application.tenant.id, email.canonical)) throw knownAddress();
    const hash = await this.#hash(registration.password, origin);
    return this.identity.signIns.complete({
      application,
      origin,
      method: "password",
      amr: ["pwd"],
      aal: "aal1",
      delivery: registration.delivery,
      audience: null,
      organization: null,
      replaces: registration.replaces,
      trustedDevice: null,
      commit: (tx, now) => this.#createUser(tx, now, registration, email, hash),
    });
  }

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
    const right = await this.#verify(account?.hash ?? null, password, origin);
    if (!right || account?.version == null || account.disabled_at !== null || account.deleted_at !== null) {
      await this.#tellRefusal(application, account?.user_id ?? null, origin);
      throw new AppError("invalid_credentials");
    }
    const version = account.version;
    const renewed =
      account.hash !== null && this.hasher.needsRehash(account.hash, this.identity.dataKeys.current("pepper").version)
        ? await this.#hash(password, origin)
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
        if (!(await holdPassword(tx, account.user_id, version))) throw new AppError("invalid_credentials");
        if (renewed !== null) {
          await replacePassword(tx, { userId: account.user_id, version, hash: renewed, newVersion: version, now });
        }
        await this.identity.attempts.forgive(tx, application, "account", canonical, origin);
        return account.user_id;
      },
    });
  }

  /** Ends the user's other sessions. @throws AppError `invalid_credentials`, `invalid_input`, `rate_limited` */
  async change(caller: Caller & { session: SessionBundle; current: string; next: string }): Promise<void> {
    const { application, origin, session } = caller;
    const context = [session.email ?? "", session.display_name ?? "", application.name];
    await this.#requireGoodPassword("new_password", caller.next, context);
    await this.identity.attempts.proof(application, "account", session.user_id, origin);
    const stored = await findPassword(this.identity.storage.read, session.user_id);
    if (!(await this.#verify(stored?.hash ?? null, caller.current, origin)) || !stored) {
      await this.#tellRefusal(application, session.user_id, origin);
      throw new AppError("invalid_credentials", { message: "The current password is wrong." });
    }
    const hash = await this.#hash(caller.next, origin);
    await this.identity.storage.write(async (tx) => {
      const now = this.clock.now();
      const userId = session.user_id;
      const { version } = stored;
      if (!(await replacePassword(tx, { userId, version, hash, newVersion: version + 1, now }))) {
        throw new AppError("conflict", { message: "The password was changed by another request." });
      }
      const tenantId = application.tenant.id;
      const actor = { kind: "user", id: userId } as const;
      await appendAudit(tx, now, {
        tenantId,
        actor,
        action: "password.changed",
        target: { kind: "user", id: userId },
        applicationId: application.id,
        origin,
      });
      // The flows first: a sign-in that is just finishing one has committed its session by then, or finds it ended.
      await this.identity.secondFactors.endAll(tx, userId);
      await this.identity.sessions.endAll(
        tx,
        userId,
        { keep: session.sid, everyApplication: true },
        { tenantId, application, actor, origin, reason: "password_changed" },
      );
      await this.identity.attempts.forgive(tx, application, "account", userId, origin);
      const notice = { kind: "password", template: "password_changed", application, userId, origin } as const;
      await this.identity.notices.tell(tx, now, notice);
    });
  }

  async #createUser(tx: Executor, now: number, registration: Registration, email: EmailAddress, hash: string) {
    const { application, origin } = registration;
    const tenantId = application.tenant.id;
    const id = newId(this.clock.now());
    try {
      await insertUser(tx, {
        id,
        tenant_id: tenantId,
        external_id: null,
        display_name: registration.displayName,
        public_metadata: JSON.stringify(registration.metadata),
        private_metadata: "{}",
        created_at: now,
        updated_at: now,
        disabled_at: null,
        deleted_at: null,
      });
      await insertEmail(tx, { id: newId(this.clock.now()), tenantId, userId: id, ...email, now });
    } catch (error) {
      if (isUniqueViolation(error)) throw knownAddress();
      throw error;
    }
    await insertPassword(tx, { userId: id, tenantId, hash, now });
    await appendAudit(tx, now, {
      tenantId,
      actor: { kind: "user", id },
      action: "user.created",
      target: { kind: "user", id },
      applicationId: application.id,
      origin,
      details: { method: "password" },
    });
    return id;
  }

  async #requireGoodPassword(path: string, password: string, context: string[]): Promise<void> {
    const reason = await checkPassword(password, { minLength: this.minLength, context });
    if (reason !== null) throw invalidField(path, reason);
  }

  #hash(password: string, origin: RequestOrigin): Promise<string> {
    const pepper = this.identity.dataKeys.current("pepper");
    return this.hasher.hash(password, { fairnessKey: origin.network, pepper });
  }

  #verify(stored: string | null, password: string, origin: RequestOrigin): Promise<boolean> {
    const { dataKeys } = this.identity;
    const fairnessKey = origin.network;
    if (stored === null) return this.hasher.verifyDummy(password, { fairnessKey, pepper: dataKeys.current("pepper") });
    const pepperOf = (version: number) => dataKeys.version("pepper", version)?.key;
    return this.hasher.verify(stored, password, { fairnessKey, pepperOf });
  }

  #tellRefusal(application: Application, userId: string | null, origin: RequestOrigin): Promise<void> {
    const now = this.clock.now();
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

function requirePasswords(application: Application): void {
  if (application.signInMethods.has("password")) return;
  throw new AppError("forbidden", { message: "This application does not take passwords." });
}

function requireEmail(input: string): EmailAddress {
  const email = canonicalEmail(input);
  if (!email) throw invalidField("email", "must be one e-mail address such as ada@example.com");
  return email;
}

function knownAddress(): AppError {
  return new AppError("conflict", {
    message: "There is an account with this address already.",
    details: [{ path: "email", reason: "is taken" }],
  });
}
