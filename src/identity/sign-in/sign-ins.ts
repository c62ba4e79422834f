import type { Clock } from "../../core/clock.ts";
import { SECOND } from "../../core/clock.ts";
import { AppError, invalidField } from "../../core/errors.ts";
import type { Delivery } from "../../storage/schema.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import type { Accounts } from "../accounts/accounts.ts";
import type { Act } from "../applications/act.ts";
import type { Application } from "../applications/application.ts";
import { userRef } from "../audit/act.ts";
import type { Devices } from "../devices/devices.ts";
import { factorStep, mayNeedFactor } from "../factors/policy.ts";
import type { FactorProof, MfaFlow, SecondFactors } from "../factors/second-factors.ts";
import type { TrustedDevices } from "../factors/trusted-devices.ts";
import type { Notices } from "../notices/notices.ts";
import type { SessionBundle } from "../sessions/public.ts";
import type { IssuedTokens, NewSession, Sessions } from "../sessions/sessions.ts";
import { claimUser, holdUser } from "../users/public.ts";
import type { UserRow } from "../users/wire.ts";
import { nextStep, type Refusal, type RequestFacts, refusalOfRequest } from "./next-step.ts";
import { type ClaimKind, requireClaim } from "./sign-up.ts";

/** A request to sign in by any method. It is made once from the call and passed on unchanged. */
export interface SignInRequest {
  act: Act;
  delivery: Delivery;
  /** null: the application's default audience. */
  audience: string | null;
  organization: string | null;
  /**
   * The caller's current session, or null. It ends when the new one begins, so that a browser that signs in again leaves no
   * second session behind, and no id survives a rise in privilege (ASVS 7.2.4).
   */
  replaces: string | null;
  /** The secrets that may be of a trusted device. */
  trustedDevice: readonly string[];
}

/** The whole contribution of a sign-in method. */
export interface SignInProof {
  /** Its name in the application's settings: `password`, `passkey`. */
  method: string;
  /** RFC 8176 values. */
  amr: readonly string[];
  aal: "aal1" | "aal2";
  /** The user, unless `commit` creates or finds it. The row is then locked before `commit` runs. */
  userId?: string;
  /** Whether `commit` changes nothing of the user's row and addresses, so that they need not be read again. */
  keepsUser?: boolean;
  /**
   * Runs in the transaction and returns the user's id. It creates the user, or checks again the facts that may have
   * changed during the slow part (a hash, a mail, an upstream). @throws AppError to refuse
   */
  commit(tx: Executor, now: number): Promise<string>;
}

/** The second half of a sign-in. The flow holds the first half. */
export interface FinishRequest {
  act: Act;
  flow: MfaFlow;
  /** Like {@link SignInRequest.replaces}. */
  replaces: string | null;
  /** Whether this device skips the second factor from now on, if the application allows it. */
  rememberDevice: boolean;
}

/** A session whose user proves a second factor. It continues under a new id. */
export interface StepUpRequest {
  act: Act;
  session: SessionBundle;
  /** Like {@link FinishRequest.rememberDevice}. */
  rememberDevice: boolean;
}

/** A secret for the device to keep, and for how many seconds. */
type DeviceSecret = { secret: string; maxAge: number };

/** An anonymous user who has proven something. */
export interface Claim {
  /** The act of the user. */
  act: Act;
  userId: string;
  /** The session that asked, or null. */
  sid: string | null;
  kind: ClaimKind;
}

export type SignInOutcome =
  | {
      status: "success";
      issued: IssuedTokens;
      trustedDevice: DeviceSecret | null;
      /** null for an anonymous user, whose account nobody can guess. */
      device: DeviceSecret | null;
    }
  | {
      status: "mfa_required";
      application: Application;
      token: string;
      /** In seconds. */
      expiresIn: number;
      methods: string[];
      isSetup: boolean;
    };

/** A session that has begun, and the secret of its device. */
interface Begun {
  session: SessionBundle;
  device: DeviceSecret | null;
}

/**
 * The only way to a session. Every method ends in a call to {@link SignIns.complete} and passes only a proof. This class
 * gathers the facts, lets {@link nextStep} decide, and carries out the decision, so no method can skip a phase.
 */
export class SignIns {
  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    private readonly sessions: Sessions,
    private readonly secondFactors: SecondFactors,
    private readonly trustedDevices: TrustedDevices,
    private readonly devices: Devices,
    private readonly notices: Notices,
    private readonly accounts: Accounts,
  ) {}

  /**
   * Refuses a method early, before a caller can make the appliance hash or mail. A method that forgets this call still signs
   * nobody in, because {@link complete} decides again. @throws AppError `forbidden` if the application does not allow the
   * method
   */
  requireMethod(application: Application, method: string): void {
    if (!application.signInMethods.has(method)) throw refused("method_off", method);
  }

  /**
   * Completes a first factor.
   * @throws AppError `forbidden` if the application does not allow the method, `factor_elsewhere` if the user's only second
   * factor is a passkey of another domain, `invalid_credentials` if the account is disabled or deleted, `invalid_input` for a foreign audience
   */
  async complete(request: SignInRequest, proof: SignInProof): Promise<SignInOutcome> {
    const { application } = request.act;
    const asked: RequestFacts = { application, proof, audience: request.audience };
    const reason = refusalOfRequest(asked);
    if (reason !== null) throw refused(reason, proof.method);
    const outcome = await this.storage.write(async (tx) => {
      const now = this.#now();
      const held = proof.userId === undefined ? null : await this.#user(tx, application, proof.userId);
      const proven = await proof.commit(tx, now);
      const user = held && proof.keepsUser ? held : await this.#user(tx, application, proven);
      const { next, trusted } = await this.#decide(tx, asked, request, user);
      const { delivery, audience, organization } = request;
      const { method, amr, aal } = proof;
      if (next.step === "session") {
        return this.#begin(tx, now, request, user, { method, amr, aal, delivery, audience, trusted });
      }
      const isSetup = next.step === "set_up_factor";
      const methods =
        next.step === "second_factor" ? await this.secondFactors.usable(tx, application, user.id, method) : [];
      // The caller has proven the first factor, so the answer may tell about the second.
      if (next.step === "second_factor" && methods.length === 0) throw new AppError("factor_elsewhere");
      const first = { method, amr, delivery, audience, organization, isSetup };
      return { methods, isSetup, flowId: await this.secondFactors.start(tx, application, user.id, first) };
    });
    if ("session" in outcome) return this.#issued(outcome, application, null);
    const { flowId, ...demand } = outcome;
    return { status: "mfa_required", application, ...(await this.secondFactors.token(flowId)), ...demand };
  }

  /** Completes a sign-in with both factors. @throws AppError as {@link complete}, and `invalid_code` for a spent flow */
  async finish(request: FinishRequest, proof: FactorProof): Promise<SignInOutcome> {
    const { act, flow } = request;
    const { first } = flow;
    const made: NewSession = { ...first, ...strengthOf(first.amr, proof) };
    // Whatever the second answer is worth, it was the answer that the policy asks for.
    const asked: RequestFacts = {
      application: act.application,
      proof: { method: first.method, aal: "aal2" },
      audience: first.audience,
    };
    const outcome = await this.storage.write(async (tx) => {
      const now = this.#now();
      const held = await this.#user(tx, act.application, flow.userId);
      await this.secondFactors.consume(tx, flow.id);
      await proof.commit(tx, now);
      const user = proof.keepsUser ? held : await this.#user(tx, act.application, flow.userId);
      const { organization } = first;
      const { next } = await this.#decide(tx, asked, { act, organization, trustedDevice: [] }, user);
      if (next.step !== "session") throw new Error(`${next.step} was asked for after the second factor`);
      const begun = await this.#begin(tx, now, request, user, made);
      return { begun, trusted: proof.standsIn ? null : await this.#trust(tx, now, request, user.id) };
    });
    return this.#issued(outcome.begun, act.application, outcome.trusted);
  }

  /**
   * Steps a session up. @throws AppError `token_revoked` if the session has ended meanwhile, `invalid_credentials` as {@link
   * complete}
   */
  async stepUp(request: StepUpRequest, proof: FactorProof): Promise<SignInOutcome> {
    const { act, session: before } = request;
    const strength = strengthOf(JSON.parse(before.amr) as string[], proof);
    const { auth_method: method, delivery, audience } = before;
    const outcome = await this.storage.write(async (tx) => {
      const now = this.#now();
      const held = await this.#user(tx, act.application, before.user_id);
      await proof.commit(tx, now);
      const user = proof.keepsUser ? held : await this.#user(tx, act.application, before.user_id);
      if (!isLive(user)) throw refused("account_closed", method);
      if (!(await this.sessions.replace(tx, act, before.sid))) throw new AppError("token_revoked");
      const made: NewSession = { method, ...strength, delivery, audience };
      const begun = await this.#begin(tx, now, { act, replaces: null }, user, made, true);
      return { begun, trusted: proof.standsIn ? null : await this.#trust(tx, now, request, user.id) };
    });
    return this.#issued(outcome.begun, act.application, outcome.trusted);
  }

  /**
   * Makes an anonymous user a person, in the transaction that gives the user a passkey or a proven address. This is a sign-up,
   * so it obeys the application's policies. The session that asked goes on where a person may have a session of one factor.
   * Otherwise it ends, and the user signs in with the new credential, and is then asked for the second factor or its set-up.
   * Does nothing for a user who is not anonymous. @throws AppError `forbidden`
   */
  async claim(tx: Executor, now: number, claim: Claim): Promise<void> {
    const { act, userId, sid, kind } = claim;
    const { application } = act;
    const row = await this.#user(tx, application, userId);
    if (row.is_anonymous === 0) return;
    requireClaim(application, kind);
    await claimUser(tx, userId, now);
    const user = { isLive: isLive(row), isAnonymous: false, createdAt: row.created_at };
    const factors = await this.secondFactors.enrolled(tx, userId, kind);
    const facts = { application, proof: { method: kind, aal: "aal1" }, user, factors, isTrustedDevice: false } as const;
    const { step } = factorStep({ ...facts, now: this.clock.now() });
    const change = {
      userId,
      keep: step === "session" ? sid : null,
      reason: "upgraded",
      details: { method: kind },
    } as const;
    await this.accounts.credentialChanged(tx, now, act, change);
  }

  /** In whole seconds, so that the row and its tokens' claims hold the same time. */
  #now(): number {
    return Math.floor(this.clock.now() / SECOND) * SECOND;
  }

  /**
   * Locks the user's row, as every change of credentials does, so that the change either comes before this sign-in or ends its
   * session. Each transaction locks this row before any other row of the account. Otherwise two of them could wait for each
   * other.
   */
  async #user(tx: Executor, application: Application, userId: string): Promise<UserRow> {
    const user = await holdUser(tx, application.tenant.id, userId);
    if (!user) throw new AppError("invalid_credentials");
    return user;
  }

  /** Gathers the facts and decides. @throws AppError where {@link nextStep} refuses */
  async #decide(
    tx: Executor,
    asked: RequestFacts,
    { act, organization, trustedDevice }: Pick<SignInRequest, "act" | "organization" | "trustedDevice">,
    row: UserRow,
  ) {
    const { method } = asked.proof;
    const user = { isLive: isLive(row), isAnonymous: row.is_anonymous === 1, createdAt: row.created_at };
    const factors = mayNeedFactor({ ...asked, user }) ? await this.secondFactors.enrolled(tx, row.id, method) : [];
    const trusted =
      factors.length > 0 ? await this.trustedDevices.recognise(tx, act.application, row.id, trustedDevice) : null;
    const next = nextStep({
      ...asked,
      user,
      factors,
      now: this.clock.now(),
      // Organizations have no members yet.
      organization: organization === null ? null : { isMember: false },
      isTrustedDevice: trusted !== null,
    });
    if (next.step === "refuse") throw refused(next.reason, method);
    return { next, trusted };
  }

  async #begin(
    tx: Executor,
    now: number,
    { act, replaces }: Pick<SignInRequest, "act" | "replaces">,
    user: UserRow,
    made: NewSession,
    isStepUp = false,
  ): Promise<Begun> {
    const own = act.by(userRef(user.id));
    if (replaces !== null) await this.sessions.replace(tx, act, replaces);
    const session = await this.sessions.begin(tx, now, own, user, made);
    // A step-up is not a sign-in, so it must not make a thief's device a known one.
    if (user.is_anonymous === 1 || isStepUp) return { session, device: null };
    const visit = await this.devices.visit(tx, now, user, act.device());
    await this.notices.seen(tx, now, own, user, visit);
    return { session, device: { secret: visit.secret, maxAge: visit.maxAge } };
  }

  /** Trusts the device, and says so by mail: with it, a thief of the password needs no second factor. */
  async #trust(tx: Executor, now: number, { act, rememberDevice }: FinishRequest | StepUpRequest, userId: string) {
    if (!rememberDevice) return null;
    const own = act.by(userRef(userId));
    const trusted = await this.trustedDevices.trust(tx, now, own, userId);
    if (trusted) await this.notices.notify(tx, now, own, { kind: "factor", template: "trusted_device_added", userId });
    return trusted;
  }

  async #issued(
    { session, device }: Begun,
    application: Application,
    trustedDevice: DeviceSecret | null,
  ): Promise<SignInOutcome> {
    return { status: "success", issued: await this.sessions.issue(session, application), trustedDevice, device };
  }
}

/** Returns the properties of a session after a second answer. A stand-in raises no session, and makes no device trusted. */
function strengthOf(before: readonly string[], { amr, standsIn = false }: FactorProof) {
  const both = new Set([...before, ...amr, ...(standsIn ? [] : ["mfa"])]);
  return { amr: [...both], aal: standsIn ? "aal1" : "aal2", standIn: standsIn } as const;
}

function isLive(user: UserRow): boolean {
  return user.deleted_at === null && user.disabled_at === null;
}

function refused(reason: Refusal, method: string): AppError {
  switch (reason) {
    case "method_off":
      return new AppError("forbidden", {
        message: `This application does not allow the sign-in method ${method}.`,
      });
    case "unknown_audience":
      return invalidField("audience", "is not an audience of this application");
    case "account_closed":
      return new AppError("invalid_credentials");
    case "no_member":
      return invalidField("organization", "must be an organization of which this user is a member");
  }
}
