import type { Clock } from "../../core/clock.ts";
import { SECOND } from "../../core/clock.ts";
import { AppError, invalidField } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import type { Delivery } from "../../storage/schema.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";
import type { Application } from "../applications/application.ts";
import { userRef } from "../audit/act.ts";
import type { MfaFlow, SecondFactors } from "../factors/second-factors.ts";
import type { TrustedDevices } from "../factors/trusted-devices.ts";
import type { Notices } from "../notices/notices.ts";
import { findUser } from "../users/store.ts";
import type { UserRow } from "../users/wire.ts";
import { ACCOUNT_SCOPE } from "./access-tokens.ts";
import type { IssuedTokens, Sessions } from "./sessions.ts";
import { findSession, insertSession, type SessionBundle } from "./store.ts";

interface Request {
  act: Act;
  /**
   * The session that the caller came with, which ends with this one's beginning: a browser that signs in again leaves no
   * second session behind, and no id survives a rise in privilege (ASVS 7.2.4). null for none.
   */
  replaces: string | null;
}

export interface SignIn extends Request {
  /** `password`, `passkey`, `social_oauth`, or the method's own name. */
  method: string;
  /** RFC 8176 values. */
  amr: readonly string[];
  aal: "aal1" | "aal2";
  delivery: Delivery;
  audience: string | null;
  organization: string | null;
  /** The secret of a device that somebody has trusted; null for none. */
  trustedDevice: string | null;
  /**
   * Runs first in the transaction: re-checks what the slow part (a hash, a mail, an upstream) may have outlived, or makes
   * the user, and answers the user's id. @throws AppError to refuse
   */
  commit(tx: Executor, now: number): Promise<string>;
}

/** The second half of a sign-in, whose first half is a flow record. */
export interface Finish extends Request {
  flow: MfaFlow;
  /** RFC 8176 values of the second factor. */
  amr: readonly string[];
  /** Makes this device one that is not asked again, where the application allows it. */
  rememberDevice: boolean;
  /** Spends the second factor: a code, a challenge. @throws AppError to refuse */
  commit(tx: Executor, now: number): Promise<void>;
}

/** A session of which more was proven: it goes on under a new id. */
export interface StepUp {
  session: SessionBundle;
  act: Act;
  amr: readonly string[];
  aal: "aal1" | "aal2";
  /** As {@link Finish.rememberDevice}. */
  rememberDevice?: boolean;
  commit(tx: Executor, now: number): Promise<void>;
}

export type SignInOutcome =
  | { status: "success"; issued: IssuedTokens; trustedDevice: { secret: string; maxAge: number } | null }
  | {
      status: "mfa_required";
      application: Application;
      token: string;
      /** Seconds. */
      expiresIn: number;
      methods: string[];
      isSetup: boolean;
    };

interface NewSession {
  method: string;
  amr: readonly string[];
  aal: "aal1" | "aal2";
  delivery: Delivery;
  audience: string | null;
  organization: string | null;
}

/**
 * The one way to a session. Every method ends in a call to {@link SignIns.complete}, which keeps the phases that all of them
 * share and that none can skip: account state, audience and organization, second factor, session, audit entry, notice, tokens.
 */
export class SignIns {
  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    private readonly sessions: Sessions,
    private readonly secondFactors: SecondFactors,
    private readonly trustedDevices: TrustedDevices,
    private readonly notices: Notices,
  ) {}

  /** @throws AppError `invalid_credentials` when the account is disabled or gone, `invalid_input` for a foreign audience */
  async complete(signIn: SignIn): Promise<SignInOutcome> {
    const { application } = signIn.act;
    requireAudience(application, signIn.audience);
    const outcome = await this.storage.write(async (tx) => {
      const now = this.#now();
      const user = await this.#liveUser(tx, application, await signIn.commit(tx, now));
      if (signIn.organization !== null) {
        throw invalidField("organization", "this user is not a member of that organization");
      }
      const demand =
        signIn.aal === "aal2" ? null : await this.secondFactors.demand(tx, application, user, signIn.method);
      const isTrusted =
        demand !== null &&
        !demand.isSetup &&
        (await this.trustedDevices.recognise(tx, application, user.id, signIn.trustedDevice));
      if (demand && !isTrusted) {
        const { method, amr, delivery, audience, organization } = signIn;
        const first = { method, amr, delivery, audience, organization, isSetup: demand.isSetup };
        return { demand, flowId: await this.secondFactors.start(tx, application, user.id, first) };
      }
      return { session: await this.#begin(tx, now, signIn, user, signIn) };
    });
    if ("session" in outcome) return this.#issued(outcome.session, application, null);
    const { token, expiresIn } = await this.secondFactors.token(outcome.flowId);
    return { status: "mfa_required", application, token, expiresIn, ...outcome.demand };
  }

  /** Both factors are proven. @throws AppError as {@link complete}, and `invalid_code` for a flow that is spent */
  async finish(finish: Finish): Promise<SignInOutcome> {
    const { act, flow } = finish;
    const { application } = act;
    const { first } = flow;
    const outcome = await this.storage.write(async (tx) => {
      const now = this.#now();
      await this.secondFactors.consume(tx, flow.id);
      await finish.commit(tx, now);
      const user = await this.#liveUser(tx, application, flow.userId);
      const amr = [...new Set([...first.amr, ...finish.amr, "mfa"])];
      const session = await this.#begin(tx, now, finish, user, { ...first, amr, aal: "aal2" });
      const trusted = finish.rememberDevice
        ? await this.trustedDevices.trust(tx, now, act.by(userRef(user.id)), user.id)
        : null;
      return { session, trusted };
    });
    return this.#issued(outcome.session, application, outcome.trusted);
  }

  /** @throws AppError `token_revoked` for a session that has ended meanwhile */
  async stepUp(step: StepUp): Promise<SignInOutcome> {
    const { act, session: before } = step;
    const { application } = act;
    const outcome = await this.storage.write(async (tx) => {
      const now = this.#now();
      await step.commit(tx, now);
      const user = await this.#liveUser(tx, application, before.user_id);
      const known = JSON.parse(before.amr) as string[];
      const amr = [...new Set([...known, ...step.amr, ...(step.aal === "aal2" ? ["mfa"] : [])])];
      const { auth_method: method, delivery, audience, organization_id: organization } = before;
      const request = { act, replaces: before.sid };
      const made = { method, amr, aal: step.aal, delivery, audience, organization };
      const session = await this.#begin(tx, now, request, user, made, true);
      const trusted = step.rememberDevice
        ? await this.trustedDevices.trust(tx, now, act.by(userRef(user.id)), user.id)
        : null;
      return { session, trusted };
    });
    return this.#issued(outcome.session, application, outcome.trusted);
  }

  /** Whole seconds, so that the row and the claims of its tokens say the same instant. */
  #now(): number {
    return Math.floor(this.clock.now() / SECOND) * SECOND;
  }

  async #liveUser(tx: Executor, application: Application, userId: string): Promise<UserRow> {
    const user = await findUser(tx, application.tenant.id, userId);
    if (!user || user.deleted_at !== null || user.disabled_at !== null) throw new AppError("invalid_credentials");
    return user;
  }

  async #begin(
    tx: Executor,
    now: number,
    request: Request,
    user: UserRow,
    made: NewSession,
    mustReplace = false,
  ): Promise<SessionBundle> {
    const { application, origin } = request.act;
    const act = request.act.by(userRef(user.id));
    if (request.replaces !== null) {
      const before = await findSession(tx, request.replaces);
      // Whoever's it was: its credential is overwritten in the same browser by the one that begins.
      const ended =
        before?.application_id === application.id &&
        (await this.sessions.end(tx, act.by(userRef(before.user_id)), before.sid, "replaced"));
      if (mustReplace && !ended) throw new AppError("token_revoked");
    }
    const sid = newId(this.clock.now());
    const expiresAt = now + application.refreshAbsoluteTtl * SECOND;
    const audience = made.audience ?? application.defaultAudience;
    await insertSession(tx, {
      id: sid,
      tenant_id: application.tenant.id,
      application_id: application.id,
      user_id: user.id,
      organization_id: null,
      aal: made.aal,
      auth_method: made.method,
      amr: JSON.stringify(made.amr),
      authenticated_at: now,
      audience,
      scope: audience === application.defaultAudience ? ACCOUNT_SCOPE : "",
      delivery: made.delivery,
      user_agent: origin.userAgent,
      address: origin.address || null,
      generation: 1,
      refresh_issued_at: now,
      refresh_expires_at: Math.min(now + application.refreshIdleTtl * SECOND, expiresAt),
      rotated_at: null,
      created_at: now,
      last_seen_at: now,
      expires_at: expiresAt,
      ended_at: null,
      end_reason: null,
    });
    const { method, aal } = made;
    await act.audit(tx, now, "session.created", { kind: "session", id: sid }, { method, aal });
    await this.notices.seen(tx, now, act, user);
    const session = await findSession(tx, sid);
    if (!session) throw new Error("a session that was just made is not there");
    return session;
  }

  async #issued(
    session: SessionBundle,
    application: Application,
    trustedDevice: { secret: string; maxAge: number } | null,
  ): Promise<SignInOutcome> {
    return { status: "success", issued: await this.sessions.issue(session, application), trustedDevice };
  }
}

function requireAudience(application: Application, audience: string | null): void {
  if (audience === null || audience === application.defaultAudience) return;
  if (!application.audiences.includes(audience)) {
    throw invalidField("audience", "is not an audience of this application");
  }
}
