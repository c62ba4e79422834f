import type { RequestOrigin } from "../core/caller.ts";
import { SECOND } from "../core/clock.ts";
import { AppError, invalidField } from "../core/errors.ts";
import { requireId } from "../core/ids.ts";
import { networkOf, parseAddress } from "../core/network.ts";
import type { KeyCaller } from "../identity/api-keys/api-keys.ts";
import type { Scope } from "../identity/api-keys/scopes.ts";
import type { Act } from "../identity/applications/act.ts";
import type { Application } from "../identity/applications/application.ts";
import { ActIn, ANONYMOUS, userRef } from "../identity/audit/act.ts";
import type { Identity } from "../identity/identity.ts";
import { ACCOUNT_SCOPE, type AccessToken } from "../identity/sessions/access-tokens.ts";
import { findSession, isLiveSession, type SessionBundle } from "../identity/sessions/public.ts";
import { userColumnsOf } from "../identity/sessions/wire.ts";
import type { UserColumns } from "../identity/users/wire.ts";
import { type Call, isFromPage } from "./call.ts";

/**
 * The one gate in front of every procedure, default deny: a procedure states its access, and what is not stated is not
 * reachable. The same for REST and tRPC.
 */
export type Access =
  /** Anybody; an application is resolved. A secret key beside it may forward a person's address. */
  | { kind: "public" }
  /**
   * A live session with scope `account`: access token as Bearer or in its cookie. `fresh` asks for a sign-in of the last
   * minutes, with a second factor of whoever has one; `aal` and `maxAge` (seconds) ask for just that (RFC 9470).
   */
  | ({ kind: "session" } & StepUpNeed)
  /** Either a flow's token in the body, which the procedure checks, or else a session as above. */
  | { kind: "flow-or-session" }
  /**
   * As `session`, or a token that the customer's backend signed. With scope `public` also one of the public issuer, which
   * anybody can ask for: what such a caller may do, everybody may.
   */
  | { kind: "end-user"; scope: "account" | "public" }
  /** The session to be ended: an access token, expired or not, or the refresh cookie. */
  | { kind: "sign-out" }
  /** A secret key, or an M2M token for the management audience, with this scope (or `admin`). */
  | { kind: "key"; scope: Scope };

export interface Admitted {
  /** By the caller whom the gate has let through. Its origin is the call's, or the person's where a backend forwards it. */
  act: Act;
}
export interface StepUpNeed {
  fresh?: boolean;
  aal?: "aal2";
  /** Seconds. */
  maxAge?: number;
}
export type AdmittedSession = Admitted & { session: SessionBundle };
/** Who calls is known once the procedure has said which of the two it was given. */
export interface FlowOrSession {
  flowCaller(): Promise<Admitted>;
  /** @throws AppError as {@link Gate.provenSession} */
  sessionCaller(need?: StepUpNeed): Promise<AdmittedSession>;
}
/** `session` is null, and `keyId` the signing key, for a token that was not minted here. */
export type AdmittedUser = Admitted & { user: UserColumns; session: SessionBundle | null; keyId: string | null };
export type AdmittedKey = Admitted & { key: KeyCaller };

const SECRET_KEY = "sally_sk_";

export class Gate {
  constructor(
    private readonly identity: Pick<
      Identity,
      | "accessTokens"
      | "apiKeys"
      | "clients"
      | "clock"
      | "customerTokens"
      | "directory"
      | "refreshService"
      | "secondFactors"
      | "settings"
      | "storage"
    >,
  ) {}

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
    // Cookie-setting: a foreign page could sign its visitor in to an account of the attacker's (login CSRF).
    if (changes) checkOrigin(call, application);
    return { act: new ActIn(application, origin, ANONYMOUS) };
  }

  async session(call: Call, changes: boolean): Promise<AdmittedSession> {
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
    return { act: new ActIn(application, call.origin, userRef(session.user_id)), session };
  }

  /** As {@link session}, for a session that was proven well and lately enough. @throws AppError `insufficient_user_authentication` */
  async provenSession(call: Call, changes: boolean, need: StepUpNeed): Promise<AdmittedSession> {
    const admitted = await this.session(call, changes);
    const { session } = admitted;
    const { clock, settings, secondFactors, storage } = this.identity;
    // An anonymous user has nothing to prove again with: what is fresh cannot be asked of them.
    const isFresh = need.fresh === true && session.is_anonymous === 0;
    const maxAge = need.maxAge ?? (isFresh ? settings.fresh_sign_in_ttl : undefined);
    const isLate = maxAge !== undefined && clock.now() - session.authenticated_at > maxAge * SECOND;
    const asksSecond = need.aal === "aal2" || need.fresh === true;
    const methods =
      session.aal !== "aal2" && asksSecond
        ? await secondFactors.enrolled(storage.read, session.user_id, session.auth_method)
        : [];
    const isWeak = session.aal !== "aal2" && (need.aal === "aal2" || methods.length > 0);
    if (isLate || isWeak) throw insufficientAuthentication(isWeak ? "aal2" : null, isLate ? (maxAge ?? 0) : null);
    return admitted;
  }

  /**
   * Names nobody yet: a procedure that was given a flow asks for `flowCaller`, and proves the flow; every other one asks for
   * `sessionCaller`. Without either it has no application to act in.
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
    return { act: new ActIn(application, call.origin, userRef(user.id)), user, session: null, keyId };
  }

  async signOut(call: Call): Promise<AdmittedSession> {
    const hinted = await this.#hintedApplication(call);
    const header = bearer(call);
    const cookies = header === null && hinted ? call.cookies(hinted) : { access: null, refresh: null };
    const access = header ?? cookies.access;
    let session: SessionBundle | undefined;
    if (access !== null) {
      const verified = await this.identity.accessTokens.verify(access, { expired: true });
      const found = await findSession(this.identity.storage.read, verified.sid);
      if (found && isAbout(verified, found)) session = found;
    } else if (cookies.refresh !== null) {
      session = (await this.identity.refreshService.sessionOf(cookies.refresh)) ?? undefined;
    }
    const application = session ? await this.identity.directory.application(session.application_id) : null;
    if (!session || !application) throw new AppError("authentication_required");
    call.resolved = application;
    this.#checkHints(call, application);
    if (header === null) checkOrigin(call, application);
    return { act: new ActIn(application, call.origin, userRef(session.user_id)), session };
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

  async #accessCookie(call: Call): Promise<string> {
    const hinted = await this.#hintedApplication(call);
    const cookie = hinted ? call.cookies(hinted).access : null;
    if (cookie === null) throw new AppError("authentication_required");
    return cookie;
  }

  /** Whose cookies to look at: the application that the request names, else the default one. */
  async #hintedApplication(call: Call): Promise<Application | null> {
    return this.identity.directory.resolve(call.hints);
  }

  /** The credential's own application wins; a header, path or Host that disagrees is an error, never ignored. */
  #checkHints(call: Call, application: Application): void {
    const { header, tenantSlug } = call.hints;
    if (header !== null && header !== application.id) {
      if (requireId("application", header, "x-application-id") !== application.id) {
        throw new AppError("application_mismatch");
      }
    }
    if (tenantSlug !== null && tenantSlug !== application.tenant.slug) {
      throw new AppError("application_mismatch", {
        message: "The address names another tenant than the credential's.",
      });
    }
  }
}

/** A signing key is its tenant's: whoever holds one reaches the sessions of that tenant's applications and no others. */
function isAbout(token: AccessToken, session: SessionBundle): boolean {
  return session.user_id === token.sub && session.application_id === token.applicationId;
}

const FORWARD_NEEDS_KEY = { message: "x-client-address needs a secret key with scope forward." };

/** @throws AppError when there is an Authorization header of another scheme: never ignored in favour of a cookie */
function bearer(call: Call): string | null {
  const { authorization } = call;
  if (authorization === null) return null;
  // As nearly everybody writes it; the expression below takes the rest.
  if (authorization.length > 7 && authorization.startsWith("Bearer ") && !authorization.includes(" ", 7)) {
    return authorization.slice(7);
  }
  const match = /^bearer +([^\s]+) *$/i.exec(authorization);
  if (!match?.[1]) {
    throw new AppError("authentication_required", {
      message: "The Authorization header must be `Bearer` and one token.",
      challenge: 'Bearer error="invalid_request"',
    });
  }
  return match[1];
}

/**
 * CSRF: a request from a page that rides on cookies, or would set them, must come from the appliance's own origin or one
 * that the application allows. `Origin` decides, else `Sec-Fetch-Site: same-origin`; without either it is no page.
 */
function checkOrigin(call: Call, application: Application): void {
  if (!isFromPage(call)) return;
  const { origin, site } = call.page;
  const allowed =
    origin === null ? site === "same-origin" : call.isOwnOrigin(origin) || application.origins.has(origin);
  if (!allowed) throw new AppError("origin_not_allowed");
}

/** The person's address as a backend states it; its limits then count that one. */
function forwarded(call: Call, key: KeyCaller): RequestOrigin {
  if (call.clientAddress === null) return call.origin;
  if (!key.scopes.has("forward") && !key.scopes.has("admin")) throw insufficientScope("forward");
  const address = parseAddress(call.clientAddress);
  if (address === null) throw invalidField("x-client-address", "must be one IP address");
  const { requestId, userAgent, languages = null } = call.origin;
  return { requestId, userAgent, languages, address, network: networkOf(address) };
}

function hasScope(scopes: string, wanted: string): boolean {
  return scopes === wanted || scopes.split(" ").includes(wanted);
}

/** RFC 9470 section 3: what would do, for programs in the header and the details. */
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
