import type { RequestOrigin } from "../../core/caller.ts";
import type { EmailAddress } from "../../core/email.ts";
import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import type { Application } from "../../identity/applications/application.ts";
import { appendAudit } from "../../identity/audit/store.ts";
import { checkProof, mailProof, PROOF_LIFETIME } from "../../identity/email-proofs/mailed.ts";
import type { Proof, StartedProof } from "../../identity/email-proofs/proofs.ts";
import type { Identity } from "../../identity/identity.ts";
import { isLockedLive } from "../../identity/sessions/lock.ts";
import type { SignInOutcome } from "../../identity/sessions/sign-in.ts";
import type { SessionBundle } from "../../identity/sessions/store.ts";
import { claimUser, findUser, insertEmail, insertUser, updateUser } from "../../identity/users/store.ts";
import { isUniqueViolation } from "../../storage/errors.ts";
import type { Delivery } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import { requireEmail, requirePasswords, requireSignUp } from "./admission.ts";
import type { PasswordHashing } from "./hashing.ts";
import { findOwner, insertPassword } from "./store.ts";

interface Caller {
  application: Application;
  origin: RequestOrigin;
}

interface Applicant extends Caller {
  email: string;
  password: string;
  displayName: string | null;
  delivery: Delivery;
}

interface Registration extends Applicant {
  metadata: Record<string, unknown>;
  replaces: string | null;
}

interface Upgrade extends Applicant {
  session: SessionBundle;
}

interface Completion extends Caller {
  proof: Proof;
  delivery: Delivery;
  replaces: string | null;
}

/** Tokens, the question for a second factor, or a mail first. */
export type SignUpOutcome = SignInOutcome | { status: "sent"; proof: StartedProof };

/** Who a sign-up makes. Kept by its flow until the address is proven: nothing is made before. */
interface NewPerson {
  address: EmailAddress;
  hash: string;
  displayName: string | null;
  metadata: Record<string, unknown>;
  /** The session of the anonymous user who is to be upgraded. */
  sid: string | null;
}

const WITH_PASSWORD = { method: "password", amr: ["pwd"], aal: "aal1" } as const;

/** Sign-up: of new people, and of anonymous ones, who keep their id. */
export class Registrations {
  constructor(
    private readonly identity: Identity,
    private readonly hashing: PasswordHashing,
  ) {}

  /**
   * With `sign_up: "verified"` always a mail and the same work: nobody is told who has an account.
   * @throws AppError `forbidden` (closed), `invalid_input`, `conflict` (known address), `rate_limited`, `overloaded`
   */
  async register(registration: Registration): Promise<SignUpOutcome> {
    const { application, metadata, replaces } = registration;
    const address = await this.#admit(registration);
    if (application.signUp === "verified") return this.#mail(registration, address, metadata);
    const person = await this.#newPerson(registration, address, metadata);
    return this.#signIn({ ...registration, replaces }, (tx, now) =>
      this.#createUser(tx, now, registration, person, false),
    );
  }

  /**
   * An anonymous user gets an address and a password, and stays who they are. Their sessions end: no id of one survives a
   * rise in privilege.
   * @throws AppError as {@link register}; `forbidden` for whoever is not anonymous
   */
  async upgrade(upgrade: Upgrade): Promise<SignUpOutcome> {
    const { application, session } = upgrade;
    const address = await this.#admit(upgrade, session);
    if (application.signUp === "verified") return this.#mail(upgrade, address, {}, session);
    const person = await this.#newPerson(upgrade, address, {});
    return this.#signIn({ ...upgrade, replaces: session.sid }, (tx, now) =>
      this.#upgradeUser(tx, now, upgrade, session.user_id, person, false),
    );
  }

  /**
   * The address is proven: the person is made, and signed in.
   * @throws AppError `invalid_code`, `forbidden` (closed meanwhile), `conflict` (the address was taken meanwhile)
   */
  async complete(completion: Completion): Promise<SignInOutcome> {
    const { application } = completion;
    requirePasswords(application);
    requireSignUp(application);
    const { flow, state, spend } = await checkProof(this.identity, completion, ["sign_up"], completion.proof);
    const person = state as unknown as NewPerson;
    const { user_id: userId, tenant_id } = flow;
    return this.#signIn(completion, async (tx, now) => {
      // What somebody's session began is over once it has been ended.
      const session = userId === null || person.sid === null ? null : { tenant_id, user_id: userId, sid: person.sid };
      if (session && !(await isLockedLive(tx, session, now))) throw new AppError("invalid_code");
      await spend(tx);
      return session === null
        ? this.#createUser(tx, now, completion, person, true)
        : this.#upgradeUser(tx, now, completion, session.user_id, person, true);
    });
  }

  /** What is refused before any work that a stranger could ask for. */
  async #admit(applicant: Applicant, session: SessionBundle | null = null): Promise<EmailAddress> {
    const { application, origin } = applicant;
    requirePasswords(application);
    requireSignUp(application);
    if (session) await this.#requireAnonymous(application, session.user_id);
    const address = requireEmail(applicant.email);
    const context = [address.address, applicant.displayName ?? session?.display_name ?? null, application.name];
    await this.hashing.requireGood("password", applicant.password, context);
    await this.identity.attempts.signUp(application, origin);
    return address;
  }

  async #requireAnonymous(application: Application, userId: string): Promise<void> {
    const user = await findUser(this.identity.storage.read, application.tenant.id, userId);
    if (user?.is_anonymous !== 1) throw notAnonymous();
  }

  /** @throws AppError `conflict` for a known address: before the costly part */
  async #newPerson(
    { application, origin, password, displayName }: Applicant,
    address: EmailAddress,
    metadata: Record<string, unknown>,
  ): Promise<NewPerson> {
    if (await findOwner(this.identity.storage.read, application.tenant.id, address.canonical)) throw knownAddress();
    return { address, hash: await this.hashing.hash(password, origin), displayName, metadata, sid: null };
  }

  /**
   * To a new address what completes the sign-up, to a known one that it has an account; to the stored address, whatever
   * spelling was typed. One hash, one read, one write either way.
   */
  async #mail(
    { application, origin, password, displayName }: Applicant,
    address: EmailAddress,
    metadata: Record<string, unknown>,
    session: SessionBundle | null = null,
  ): Promise<SignUpOutcome> {
    const { identity } = this;
    await identity.attempts.mail(application, address.canonical, origin);
    const owner = await findOwner(identity.storage.read, application.tenant.id, address.canonical);
    const hash = await this.hashing.hash(password, origin);
    const person: NewPerson = { address, hash, displayName, metadata, sid: session?.sid ?? null };
    const proof = await identity.storage.write((tx) =>
      mailProof(identity, tx, {
        application,
        origin,
        kind: "sign_up",
        template: owner ? "sign_up_known" : "sign_up",
        to: owner?.address ?? address.address,
        userId: session?.user_id ?? null,
        reader: owner?.user_id ?? null,
        canonical: address.canonical,
        email: address.address,
        state: { ...person },
        lifetime: PROOF_LIFETIME,
      }),
    );
    return { status: "sent", proof };
  }

  #signIn(
    request: Caller & { delivery: Delivery; replaces: string | null },
    commit: (tx: Executor, now: number) => Promise<string>,
  ): Promise<SignInOutcome> {
    const { application, origin, delivery, replaces } = request;
    return this.identity.signIns.complete({
      ...WITH_PASSWORD,
      application,
      origin,
      delivery,
      replaces,
      audience: null,
      organization: null,
      trustedDevice: null,
      commit,
    });
  }

  async #createUser(tx: Executor, now: number, caller: Caller, person: NewPerson, isVerified: boolean) {
    const { clock } = this.identity;
    const tenantId = caller.application.tenant.id;
    const id = newId(clock.now());
    await insertUser(tx, now, {
      id,
      tenant_id: tenantId,
      display_name: person.displayName,
      public_metadata: JSON.stringify(person.metadata),
    });
    await this.#giveCredentials(tx, now, caller, id, person, isVerified);
    await this.#tell(tx, now, caller, "user.created", id);
    return id;
  }

  async #upgradeUser(
    tx: Executor,
    now: number,
    caller: Caller,
    userId: string,
    person: NewPerson,
    isVerified: boolean,
  ): Promise<string> {
    const { application, origin } = caller;
    const { flows, secondFactors, sessions } = this.identity;
    const tenantId = application.tenant.id;
    // Decides between two at once; of the rest, the first one's.
    if (!(await claimUser(tx, userId, now))) throw notAnonymous();
    if (person.displayName !== null) await updateUser(tx, userId, { display_name: person.displayName }, now);
    await this.#giveCredentials(tx, now, caller, userId, person, isVerified);
    await flows.endEvery(tx, userId, { kind: "", before: null });
    await secondFactors.endAll(tx, userId);
    const actor = { kind: "user", id: userId } as const;
    const ending = { tenantId, application, actor, origin, reason: "replaced" } as const;
    await sessions.endAll(tx, userId, { keep: null, everyApplication: true }, ending);
    await this.#tell(tx, now, caller, "user.upgraded", userId);
    return userId;
  }

  /** @throws AppError `conflict` when somebody has the address by now */
  async #giveCredentials(
    tx: Executor,
    now: number,
    { application }: Caller,
    userId: string,
    { address, hash }: NewPerson,
    isVerified: boolean,
  ): Promise<void> {
    const tenantId = application.tenant.id;
    const id = newId(this.identity.clock.now());
    try {
      await insertEmail(tx, { id, tenantId, userId, ...address, now, isVerified });
    } catch (error) {
      if (isUniqueViolation(error)) throw knownAddress();
      throw error;
    }
    await insertPassword(tx, { userId, tenantId, hash, now });
  }

  #tell(tx: Executor, now: number, { application, origin }: Caller, action: string, id: string): Promise<void> {
    return appendAudit(tx, now, {
      tenantId: application.tenant.id,
      actor: { kind: "user", id },
      action,
      target: { kind: "user", id },
      applicationId: application.id,
      origin,
      details: { method: "password" },
    });
  }
}

function notAnonymous(): AppError {
  return new AppError("forbidden", { message: "Only an anonymous user is upgraded; this one has an account." });
}

function knownAddress(): AppError {
  return new AppError("conflict", {
    message: "There is an account with this address already.",
    details: [{ path: "email", reason: "is taken" }],
  });
}
