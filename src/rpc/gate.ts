import type { RequestOrigin } from "../core/caller.ts";
import { SECOND } from "../core/clock.ts";
import { AppError, invalidField } from "../core/errors.ts";
import { requireId } from "../core/ids.ts";
import { networkOf, parseAddress } from "../core/network.ts";
import type { KeyCaller } from "../identity/api-keys/api-keys.ts";
import type { Scope } from "../identity/api-keys/scopes.ts";
import type { Act } from "../identity/applications/act.ts";
import type { Application } from "../identity/applications/application.ts";
import { ActIn, ANONYMOUS, type DeviceCookie, userRef } from "../identity/audit/act.ts";
import type { Identity } from "../identity/identity.ts";
import { ACCOUNT_SCOPE } from "../identity/sessions/access-tokens.ts";
import { findSession, isLiveSession, type SessionBundle } from "../identity/sessions/public.ts";
import { userColumnsOf } from "../identity/sessions/wire.ts";
import type { UserColumns } from "../identity/users/wire.ts";
import { bearerToken } from "./bearer.ts";
import { type Call, isFromPage } from "./call.ts";
import { CookieSessions, isAbout } from "./cookie-sessions.ts";

/**
 * The access rule of a procedure. One gate stands in front of every procedure, for REST and tRPC alike. It denies by
 * default: a procedure that states no access cannot be called.
 */
export type Access =
  /** Any caller; the gate resolves the application. A secret key in the request may forward the user's address. */
  | { kind: "public" }
  /**
   * A live session with scope `account`, from an access token as Bearer or in its cookie. `fresh` requires a sign-in
   * within the last minutes, with a second factor if the user has one. `aal` and `maxAge` (seconds) require exactly
   * that (RFC 9470).
   */
  | ({ kind: "session" } & StepUpNeed)
  /** Either a flow's token in the body, which the procedure checks, or a session as above. */
  | { kind: "flow-or-session" }
  /**
   * Like `session`, or a token that the customer's backend signed. Scope `public` also admits a token of the public
   * issuer. Anyone can get such a token, so its holder may only do what anyone may do.
   */
  | { kind: "end-user"; scope: "account" | "public" }
  /**
   * The session that is to end, from an access token (expired or not) or the refresh cookie. To end the user's other sessions
   * as well takes a credential as for `session`.
   */
  | { kind: "sign-out" }
  /** A secret key, or an M2M token for the management audience, with this scope or `admin`. */
  | { kind: "key"; scope: Scope };

export interface Admitted {
  /** The act of the admitted caller. Its origin is that of the call, or the user's if a backend forwards it. */
  act: Act;
}
export interface StepUpNeed {
  fresh?: boolean;
  aal?: "aal2";
  /** Seconds. */
  maxAge?: number;
}
export type AdmittedSession = Admitted & { session: SessionBundle };
/** Identifies the caller after the procedure has decided which of the two credentials it was given. */
export interface FlowOrSession {
  flowCaller(): Promise<Admitted>;
  /** @throws AppError like {@link Gate.provenSession} */
  sessionCaller(need?: StepUpNeed): Promise<AdmittedSession>;
}
/** Identifies the caller after the procedure knows whether only one session is to end. */
export interface SignOut {
  /** Admits the holder of any token of the session, because a sign-out may come late. */
  ownSession(): Promise<AdmittedSession>;
  /**
   * Admits only a caller who may end the user's other sessions one by one. An expired token, a refresh cookie alone, or a token
   * that was issued for a third party's API must not sign the person out everywhere. @throws AppError like {@link Gate.session}
   */
  everySession(): Promise<AdmittedSession>;
}
/** For a token that a customer signed, `session` is null and `keyId` is its signing key. */
export type AdmittedUser = Admitted & { user: UserColumns; session: SessionBundle | null; keyId: string | null };
export type AdmittedKey = Admitted & { key: KeyCaller };

const SECRET_KEY = "sally_sk_";

export class Gate {
  readonly #cookieSessions: CookieSessions;

  constructor(
    private readonly identity: Pick<
      Identity,
      | "accessTokens"
      | "apiKeys"
      | "clients"
      | "clock"
      | "customerTokens"
      | "devices"
      | "directory"
      | "refreshService"
      | "secondFactors"
      | "settings"
      | "storage"
      | "writeBudgets"
    >,
  ) {
    this.#cookieSessions = new CookieSessions(identity);
  }

  async public(call: Call, changes: boolean): Promise<Admitted> {
    const credential = bearer(call);
    let application: Application;
    let origin = call.origin;
    if (credential?.startsWith(SECRET_KEY)) {
      const key = await this.identity.apiKeys.authenticate(credential, call.origin);
      application = key.application;
      this.#checkHints(call, application);
      origin = forwarded(call, key);
    } else {
      if (call.clientAddress !== null) throw new AppError("insufficient_scope", FORWARD_NEEDS_KEY);
      application = await this.identity.directory.resolve(call.hints);
    }
    call.resolved = application;
    // The call sets cookies: a foreign page could sign its visitor in to the attacker's account (login CSRF).
    if (changes) checkOrigin(call, application);
    return { act: new ActIn(application, origin, ANONYMOUS, deviceOf(call, application)) };
  }

  /** @param cost the number of writes that the call takes from the session's budget */
  async session(call: Call, changes: boolean, cost = changes ? 1 : 0): Promise<AdmittedSession> {
    const header = bearer(call);
    const token = header ?? (await this.#accessCookie(call));
    const verified = await this.identity.accessTokens.verify(token);
    const { directory } = this.identity;
    const application =
      directory.cachedApplication(verified.applicationId) ?? (await directory.application(verified.applicationId));
    if (!application || application.disabled || application.tenant.disabled) throw new AppError("token_revoked");
    call.resolved = application;
    this.#checkHints(call, application);
    if (header === null && changes) checkOrigin(call, application);
    if (!hasScope(verified.scope, ACCOUNT_SCOPE)) throw insufficientScope(ACCOUNT_SCOPE);
    const session = await findSession(this.identity.storage.read, verified.sid);
    if (!session || !isAbout(verified, session) || !isLiveSession(session, this.identity.clock.now()))
      throw new AppError("token_revoked");
    if (cost > 0) this.identity.writeBudgets.spend(session.sid, cost);
    const act = new ActIn(application, call.origin, userRef(session.user_id), deviceOf(call, application));
    return { act, session };
  }

  /**
   * Like {@link session}, but requires a strong and recent enough sign-in.
   * @throws AppError `insufficient_user_authentication`
   */
  async provenSession(call: Call, changes: boolean, need: StepUpNeed, cost?: number): Promise<AdmittedSession> {
    const admitted = await this.session(call, changes, cost);
    const { session } = admitted;
    const { clock, settings, secondFactors, storage } = this.identity;
    // An anonymous user has no credential to prove again, so a fresh sign-in cannot be required.
    const isFresh = need.fresh === true && session.is_anonymous === 0;
    const maxAge = need.maxAge ?? (isFresh ? settings.fresh_sign_in_ttl : undefined);
    const isLate = maxAge !== undefined && clock.now() - session.authenticated_at > maxAge * SECOND;
    // A stand-in for a lost factor is enough to replace it, and not for `aal2`.
    const asksSecond = need.aal === "aal2" || (need.fresh === true && session.is_stand_in === 0);
    const methods =
      session.aal !== "aal2" && asksSecond
        ? await secondFactors.enrolled(storage.read, session.user_id, session.auth_method)
        : [];
    const isWeak = session.aal !== "aal2" && (need.aal === "aal2" || methods.length > 0);
    if (isLate || isWeak) throw insufficientAuthentication(isWeak ? "aal2" : null, isLate ? (maxAge ?? 0) : null);
    return admitted;
  }

  /**
   * Admits nobody yet. A procedure that was given a flow calls `flowCaller` and proves the flow; otherwise it calls
   * `sessionCaller`. Without either call it has no application to act in.
   */
  async flowOrSession(call: Call, changes: boolean): Promise<FlowOrSession> {
    return {
      flowCaller: () => this.public(call, changes),
      sessionCaller: (need = {}) => this.provenSession(call, changes, need),
    };
  }

  async endUser(call: Call, changes: boolean, scope: "account" | "public"): Promise<AdmittedUser> {
    const token = bearer(call);
    const profile = token === null ? null : this.identity.customerTokens.profiles.of(token);
    if (token === null || profile === null) {
      const admitted = await this.session(call, changes);
      return { ...admitted, user: userColumnsOf(admitted.session), keyId: null };
    }
    const signed = await this.identity.customerTokens.verify(token, profile, call.origin);
    const { application, user, keyId } = signed;
    call.resolved = application;
    this.#checkHints(call, application);
    if (profile === "public" && scope !== "public") throw insufficientScope(scope);
    if (changes) this.identity.writeBudgets.spend(user.id, 1);
    return { act: new ActIn(application, call.origin, userRef(user.id)), user, session: null, keyId };
  }

  /** Admits nobody yet. The procedure calls one of the two functions. */
  async signOut(call: Call): Promise<SignOut> {
    return { ownSession: () => this.#endingSession(call), everySession: () => this.session(call, true, 0) };
  }

  async key(call: Call, scope: Scope): Promise<AdmittedKey> {
    const credential = bearer(call);
    if (credential === null) throw new AppError("authentication_required");
    const key = credential.startsWith(SECRET_KEY)
      ? await this.identity.apiKeys.authenticate(credential, call.origin)
      : await this.identity.clients.callerOf(credential);
    call.resolved = key.application;
    this.#checkHints(call, key.application);
    if (!key.scopes.has(scope) && !key.scopes.has("admin")) throw insufficientScope(scope);
    const { kind, id } = key;
    return { act: new ActIn(key.application, forwarded(call, key), { kind, id }), key };
  }

  async #endingSession(call: Call): Promise<AdmittedSession> {
    const hinted = await this.#hintedApplication(call);
    const header = bearer(call);
    let session: SessionBundle | null = null;
    if (header !== null) {
      const verified = await this.identity.accessTokens.verify(header, { expired: true });
      const found = await findSession(this.identity.storage.read, verified.sid);
      if (found && isAbout(verified, found)) session = found;
    } else {
      session = await this.#cookieSessions.ending(call, hinted);
    }
    const application = session ? await this.identity.directory.application(session.application_id) : null;
    if (!session || !application) {
      if (header === null) this.#dropCookies(call, hinted);
      throw new AppError("authentication_required");
    }
    call.resolved = application;
    this.#checkHints(call, application);
    if (header === null) checkOrigin(call, application);
    return { act: new ActIn(application, call.origin, userRef(session.user_id)), session };
  }

  /** Removes cookies that name no session, because nothing else ever would. */
  #dropCookies(call: Call, application: Application): void {
    const { access, refresh } = call.cookies(application);
    if (access.length + refresh.length === 0 || !isOriginAllowed(call, application)) return;
    call.reply.cookies.push({ kind: "clear", application });
  }

  async #accessCookie(call: Call): Promise<string> {
    return this.#cookieSessions.access(call, await this.#hintedApplication(call));
  }

  /** Returns the application whose cookies to read: the one that the request names, or the default one. */
  async #hintedApplication(call: Call): Promise<Application> {
    return this.identity.directory.resolve(call.hints);
  }

  /**
   * Compares the credential's own application, which decides, with header, path and Host. A difference is an error, and
   * is never ignored.
   */
  #checkHints(call: Call, application: Application): void {
    const { header, tenantSlug } = call.hints;
    if (header !== null && header !== application.id) {
      if (requireId("application", header, "x-application-id") !== application.id) {
        throw new AppError("application_mismatch");
      }
    }
    if (tenantSlug !== null && tenantSlug !== application.tenant.slug) {
      throw new AppError("application_mismatch", {
        message: "The address and the credential name different tenants.",
      });
    }
  }
}

const FORWARD_NEEDS_KEY = { message: "Send x-client-address only with a secret key that has the scope forward." };

/**
 * Returns the Bearer token, or null without an Authorization header.
 * @throws AppError for a header of another scheme, which is never ignored in favour of a cookie
 */
function bearer(call: Call): string | null {
  const { authorization } = call;
  if (authorization === null) return null;
  const token = bearerToken(authorization);
  if (token === null) {
    throw new AppError("authentication_required", {
      message: "The Authorization header must be `Bearer` and one token.",
      challenge: 'Bearer error="invalid_request"',
    });
  }
  return token;
}

/**
 * Prevents CSRF: a request from a page that is authenticated by cookies, or would set them, must come from the
 * appliance's own origin or from one that the application allows. `Origin` decides, or else `Sec-Fetch-Site:
 * same-origin`. A request with neither is not from a page.
 */
function checkOrigin(call: Call, application: Application): void {
  if (!isOriginAllowed(call, application)) throw new AppError("origin_not_allowed");
}

function isOriginAllowed(call: Call, application: Application): boolean {
  if (!isFromPage(call)) return true;
  const { origin, site } = call.page;
  if (origin === null) return site === "same-origin";
  return call.isOwnOrigin(origin, application) || application.origins.has(origin);
}

/** Returns the origin with the user's address that a backend states. Limits then count that address. */
function forwarded(call: Call, key: KeyCaller): RequestOrigin {
  if (call.clientAddress === null) return call.origin;
  // The scope admin holds every other, but a machine's token is handed around more freely than a backend's secret key.
  if (key.kind !== "key") throw new AppError("insufficient_scope", FORWARD_NEEDS_KEY);
  if (!key.scopes.has("forward") && !key.scopes.has("admin")) throw insufficientScope("forward");
  const address = parseAddress(call.clientAddress);
  if (address === null) throw invalidField("x-client-address", "must be one IP address");
  const { requestId, userAgent, languages = null } = call.origin;
  return { requestId, userAgent, languages, address, network: networkOf(address) };
}

function deviceOf(call: Call, application: Application): DeviceCookie {
  return () => call.cookies(application).device;
}

function hasScope(scopes: string, wanted: string): boolean {
  return scopes === wanted || scopes.split(" ").includes(wanted);
}

/** Names the sufficient sign-in for programs, in the header and the details (RFC 9470 section 3). */
function insufficientAuthentication(aal: "aal2" | null, maxAge: number | null): AppError {
  const parameters = [
    'error="insufficient_user_authentication"',
    ...(aal === null ? [] : [`acr_values="${aal}"`]),
    ...(maxAge === null ? [] : [`max_age="${maxAge}"`]),
  ];
  return new AppError("insufficient_user_authentication", {
    details: { acr_values: aal, max_age: maxAge },
    challenge: `Bearer ${parameters.join(", ")}`,
  });
}

function insufficientScope(scope: string): AppError {
  return new AppError("insufficient_scope", {
    message: `The credential lacks the scope ${scope}.`,
    details: { scope },
    challenge: `Bearer error="insufficient_scope", scope="${scope}"`,
  });
}
