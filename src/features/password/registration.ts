import type { EmailAddress } from "../../core/email.ts";
import { AppError, invalidField } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { standsFor } from "../../identity/accounts/may-act.ts";
import { proofEffect } from "../../identity/accounts/proof-effect.ts";
import type { Act } from "../../identity/applications/act.ts";
import { userRef } from "../../identity/audit/act.ts";
import { checkProof, mailProof, PROOF_LIFETIME } from "../../identity/email-proofs/mailed.ts";
import type { Proof, StartedProof } from "../../identity/email-proofs/proofs.ts";
import { mailVerification } from "../../identity/email-proofs/verification-mail.ts";
import type { Identity } from "../../identity/identity.ts";
import { isLockedLive } from "../../identity/sessions/lock.ts";
import type { SessionBundle } from "../../identity/sessions/public.ts";
import type { SignInOutcome, SignInProof, SignInRequest } from "../../identity/sign-in/sign-ins.ts";
import { requireSignUp } from "../../identity/sign-in/sign-up.ts";
import { findAddressOwner } from "../../identity/users/emails/public.ts";
import { claimUser, findUser, insertEmail, insertUser, updateUser } from "../../identity/users/public.ts";
import { isUniqueViolation } from "../../storage/errors.ts";
import type { Executor } from "../../storage/storage.ts";
import { BY_PASSWORD, requireEmail } from "./admission.ts";
import type { PasswordHashing } from "./hashing.ts";
import { insertPassword } from "./store.ts";

interface Applicant {
  email: string;
  /** null: the password comes with the proof of the address. */
  password: string | null;
  displayName: string | null;
  metadata: Record<string, unknown>;
}

/** A sign-up answers tokens, the question for a second factor, or a mail. */
export type SignUpOutcome = SignInOutcome | { status: "sent"; proof: StartedProof };

/**
 * The person that a sign-up will create. The flow keeps it until the address is proven; before, nothing is created. It holds no
 * password: the person who asks may be a stranger, and the owner of the address chooses the password with the proof.
 */
interface Asked {
  address: EmailAddress;
  displayName: string | null;
  metadata: Record<string, unknown>;
  /** The session of the anonymous user to upgrade. */
  sid: string | null;
}

type NewPerson = Asked & { hash: string };

/** Signs up new people, and upgrades anonymous users, who keep their id. */
export class Registrations {
  constructor(
    private readonly identity: Pick<
      Identity,
      "accounts" | "attempts" | "clock" | "emailProofs" | "flows" | "outbox" | "signIns" | "storage"
    >,
    private readonly hashing: PasswordHashing,
  ) {}

  /**
   * With `sign_up: "verified"` always sends a mail and does the same work, so that the answer never tells who has an account.
   * @throws AppError `forbidden` (closed), `invalid_input`, `conflict` (known address), `rate_limited`, `overloaded`
   */
  async register(request: SignInRequest, applicant: Applicant): Promise<SignUpOutcome> {
    const { act } = request;
    const address = await this.#admit(act, applicant);
    if (act.application.signUp === "verified") return this.#mail(act, applicant, address);
    const person = await this.#newPerson(act, applicant, address);
    return this.#signIn(request, (tx, now) => this.#createUser(tx, now, act, person, false));
  }

  /**
   * Gives an anonymous user an address and a password, and keeps the user's id. Ends the user's sessions: no session id may
   * survive a rise in privilege.
   * @throws AppError as {@link register}; `forbidden` unless the user is anonymous
   */
  async upgrade(request: SignInRequest, session: SessionBundle, applicant: Applicant): Promise<SignUpOutcome> {
    const { act } = request;
    const address = await this.#admit(act, applicant, session);
    if (act.application.signUp === "verified") return this.#mail(act, applicant, address, session);
    const person = await this.#newPerson(act, applicant, address);
    return this.#signIn({ ...request, replaces: session.sid }, (tx, now) =>
      this.#upgradeUser(tx, now, act, session.user_id, person, false),
    );
  }

  /**
   * Creates the person whose address is proven, with the password that comes with the proof, and signs the person in. An upgrade
   * also needs the session of the anonymous user: the address must not join a stranger's account by its owner's click.
   * @throws AppError `invalid_code`, `invalid_input`, `asking_session_required`, `forbidden` (closed meanwhile), `conflict` (the
   * address was taken meanwhile)
   */
  async complete(request: SignInRequest, given: Proof, password: string): Promise<SignInOutcome> {
    const { act } = request;
    const { application } = act;
    this.identity.signIns.requireMethod(application, BY_PASSWORD.method);
    requireSignUp(application);
    // A password that no account may have costs no try of the code.
    await this.hashing.requireGood("password", password, [application.name]);
    const { flow, state, spend } = await checkProof(this.identity, act, ["sign_up"], given);
    const asked = state as unknown as Asked;
    const { user_id: userId, tenant_id } = flow;
    const context = [asked.address.address, asked.displayName, application.name];
    await this.hashing.requireGood("password", password, context);
    const person = { ...asked, hash: await this.hashing.hashNew("password", password, act.origin) };
    if (userId === null) {
      return this.#signIn(request, async (tx, now) => {
        await spend(tx);
        return this.#createUser(tx, now, act, person, true);
      });
    }
    return this.#signIn(request, async (tx, now) => {
      const asking = { tenant_id, user_id: userId, sid: asked.sid };
      // A flow that a session began ends with that session.
      if (!(await isLockedLive(tx, asking, now))) throw new AppError("invalid_code");
      const { replaces: sid } = request;
      const effect = proofEffect({
        purpose: "confirm",
        address: "new",
        hasOtherProven: false,
        isOver: false,
        isFromAccount: sid !== null && (await isLockedLive(tx, { ...asking, sid }, now)),
      });
      if (effect.refuses !== null) throw new AppError(effect.refuses);
      await spend(tx);
      return this.#upgradeUser(tx, now, act, userId, person, true);
    });
  }

  /** Refuses a request before any work that a stranger could cause. */
  async #admit(act: Act, applicant: Applicant, session: SessionBundle | null = null): Promise<EmailAddress> {
    const { application } = act;
    this.identity.signIns.requireMethod(application, BY_PASSWORD.method);
    requireSignUp(application);
    if (session) await this.#requireAnonymous(application.tenant.id, session.user_id);
    const address = requireEmail(applicant.email);
    const context = [address.address, applicant.displayName ?? session?.display_name ?? null, application.name];
    const { password } = applicant;
    // Under `verified` the password of this call is not kept, but a page learns here whether it would do.
    if (password !== null) await this.hashing.requireGood("password", password, context);
    else if (application.signUp !== "verified") throw invalidField("password", "is needed");
    await this.identity.attempts.signUp(act);
    return address;
  }

  async #requireAnonymous(tenantId: string, userId: string): Promise<void> {
    const user = await findUser(this.identity.storage.read, tenantId, userId);
    if (user?.is_anonymous !== 1) throw notAnonymous();
  }

  /** @throws AppError `conflict` for a known address, before the costly hash */
  async #newPerson(
    { application, origin }: Act,
    { password, displayName, metadata }: Applicant,
    address: EmailAddress,
  ): Promise<NewPerson> {
    if (password === null) throw invalidField("password", "is needed");
    const owner = await findAddressOwner(this.identity.storage.read, application.tenant.id, address.canonical);
    if (owner && standsFor(owner)) throw knownAddress();
    const hash = await this.hashing.hashNew("password", password, origin);
    return { address, hash, displayName, metadata, sid: null };
  }

  /**
   * Mails a new address the link that completes the sign-up. Tells a known address, at its stored spelling, that it has an
   * account. Both cases cost one read and one write.
   */
  async #mail(
    act: Act,
    { displayName, metadata }: Applicant,
    address: EmailAddress,
    session: SessionBundle | null = null,
  ): Promise<SignUpOutcome> {
    const { identity } = this;
    const { application } = act;
    const network = await identity.attempts.mail(act, "sign_up", address.canonical);
    const found = await findAddressOwner(identity.storage.read, application.tenant.id, address.canonical);
    const owner = found && standsFor(found) ? found : null;
    const asked: Asked = { address, displayName, metadata, sid: session?.sid ?? null };
    const proof = await identity.storage.write((tx) =>
      mailProof(identity, tx, act, {
        kind: "sign_up",
        template: owner ? "sign_up_known" : "sign_up",
        to: owner?.address ?? address.address,
        userId: session?.user_id ?? null,
        reader: owner?.user_id ?? null,
        canonical: address.canonical,
        email: address.address,
        state: { ...asked },
        lifetime: PROOF_LIFETIME,
        network,
      }),
    );
    return { status: "sent", proof };
  }

  #signIn(request: SignInRequest, commit: SignInProof["commit"]): Promise<SignInOutcome> {
    return this.identity.signIns.complete(request, { ...BY_PASSWORD, commit });
  }

  async #createUser(tx: Executor, now: number, asked: Act, person: NewPerson, isVerified: boolean) {
    const { clock } = this.identity;
    const tenantId = asked.application.tenant.id;
    const id = newId(clock.now());
    await insertUser(tx, now, {
      id,
      tenant_id: tenantId,
      display_name: person.displayName,
      public_metadata: JSON.stringify(person.metadata),
    });
    await this.#giveCredentials(tx, now, asked, id, person, isVerified);
    if (!isVerified) await this.#mailVerification(tx, asked, id, person);
    await asked.by(userRef(id)).audit(tx, now, "user.created", userRef(id), { method: "password" });
    return id;
  }

  async #upgradeUser(
    tx: Executor,
    now: number,
    asked: Act,
    userId: string,
    person: NewPerson,
    isVerified: boolean,
  ): Promise<string> {
    const act = asked.by(userRef(userId));
    // Of two upgrades at once, this lets one through.
    if (!(await claimUser(tx, userId, now))) throw notAnonymous();
    if (person.displayName !== null) await updateUser(tx, userId, { display_name: person.displayName }, now);
    await this.#giveCredentials(tx, now, act, userId, person, isVerified);
    const details = { method: "password" };
    await this.identity.accounts.credentialChanged(tx, now, act, { userId, keep: null, reason: "upgraded", details });
    // After the change, which ends the user's flows.
    if (!isVerified) await this.#mailVerification(tx, asked, userId, person);
    return userId;
  }

  /**
   * Mails the proof of a new account's address. The budget of the address protects its owner from many mails, and must not
   * refuse a sign-up: the user can ask for the mail later.
   */
  async #mailVerification(tx: Executor, act: Act, userId: string, { address }: NewPerson): Promise<void> {
    if (!(await this.identity.attempts.mayMailSignUp(tx, act, address.canonical))) return;
    const { network } = act.origin;
    await mailVerification(this.identity, tx, act.by(userRef(userId)), { userId, ...address, sid: null, network });
  }

  /** @throws AppError `conflict` if another account has the address by now */
  async #giveCredentials(
    tx: Executor,
    now: number,
    act: Act,
    userId: string,
    { address, hash }: NewPerson,
    isVerified: boolean,
  ): Promise<void> {
    const tenantId = act.application.tenant.id;
    const id = newId(this.identity.clock.now());
    await this.identity.accounts.release(tx, now, act, address.canonical);
    try {
      await insertEmail(tx, { id, tenantId, userId, ...address, now, isVerified });
    } catch (error) {
      if (isUniqueViolation(error)) throw knownAddress();
      throw error;
    }
    await insertPassword(tx, { userId, tenantId, hash, now });
  }
}

function notAnonymous(): AppError {
  return new AppError("forbidden", {
    message: "Only an anonymous user can be upgraded. This user has an account already.",
  });
}

function knownAddress(): AppError {
  return new AppError("conflict", {
    message: "This address has an account already. Sign in, or use another address.",
    details: [{ path: "email", reason: "is taken" }],
  });
}
