import { hash, randomUUID } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { SECOND, toSeconds } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import { isUuid } from "../../core/ids.ts";
import { RecentMap } from "../../core/recent-map.ts";
import { verifyJws } from "../../crypto/jws.ts";
import { encodeJwt } from "../../crypto/jwt.ts";
import { decodeClaims } from "../../jose/claims.ts";
import { JwsError } from "../../jose/error.ts";
import { type KnownHeaders, parseJws } from "../../jose/jws.ts";
import type { Application } from "../applications/application.ts";
import type { Directory } from "../applications/directory.ts";
import type { Keyring, TenantKey } from "../keys/keyring.ts";
import type { SessionBundle } from "./store.ts";

/** Allows the account procedures. A token for a requested audience lacks it. */
export const ACCOUNT_SCOPE = "account";

/** A verified access token: its signature, issuer, type and times are right. The gate checks whether its session is alive. */
export interface AccessToken {
  sub: string;
  sid: string;
  jti: string;
  applicationId: string;
  audience: string;
  scope: string;
  issuedAt: number;
  expiresAt: number;
  authTime: number;
  /** The key that signed it. */
  kid: string;
}

/** A verified access token of an M2M client. It has no session: no `sid`, no `aal`, no `auth_time`. */
export interface ClientToken {
  /** The client's id, which is its application's id. */
  sub: string;
  jti: string;
  applicationId: string;
  audience: string;
  scope: string;
  issuedAt: number;
  expiresAt: number;
  /** The key that signed it. */
  kid: string;
  /** The client secret that obtained it; null for a token from before this claim. */
  secretId: string | null;
}

/** How far the clocks of two nodes may differ, in seconds. */
export const CLOCK_SKEW = 60;

/** Adds a feature's claims to a token. */
export type ClaimsHook = (input: { session: SessionBundle; application: Application }) => Record<string, unknown>;

/** The maximum number of remembered verified tokens (a few hundred bytes each). */
const REMEMBERED = 20_000;

/** Mints and verifies access tokens. */
export class AccessTokens {
  /** The key is the SHA-256 of the token, so that a memory dump contains none of these tokens. */
  readonly #verified = new RecentMap<AccessToken | ClientToken>(REMEMBERED);
  readonly #headers: KnownHeaders = new Map();

  constructor(
    private readonly clock: Clock,
    private readonly keyring: Keyring,
    private readonly directory: Directory,
    private readonly hooks: readonly ClaimsHook[],
  ) {}

  async mint(session: SessionBundle, application: Application): Promise<string> {
    const issuedAt = toSeconds(this.clock.now());
    const claims: Record<string, unknown> = {
      iss: application.tenant.issuer,
      sub: session.user_id,
      aud: session.audience,
      azp: application.id,
      exp: issuedAt + application.accessTokenTtl,
      iat: issuedAt,
      auth_time: toSeconds(session.authenticated_at),
      jti: randomUUID(),
      sid: session.sid,
      typ: "access",
      aal: session.aal,
      auth_method: session.auth_method,
      amr: JSON.parse(session.amr),
    };
    if (session.scope !== "") claims.scope = session.scope;
    if (session.organization_id !== null) claims.org = session.organization_id;
    if (session.email !== null) {
      claims.email = session.email;
      claims.email_verified = session.email_verified_at !== null;
    }
    for (const hook of this.hooks) Object.assign(claims, hook({ session, application }));
    return encodeJwt(await this.keyring.signer(session.tenant_id, application.algorithm), claims);
  }

  /** Mints a client's access token. @param input.lifetime in seconds */
  async mintForClient(
    application: Application,
    input: { audience: string; scope: string; lifetime: number; secretId: string },
  ): Promise<string> {
    const issuedAt = toSeconds(this.clock.now());
    const claims: Record<string, unknown> = {
      iss: application.tenant.issuer,
      sub: application.id,
      aud: input.audience,
      azp: application.id,
      exp: issuedAt + input.lifetime,
      iat: issuedAt,
      jti: randomUUID(),
      typ: "access",
      // A secret that is turned off ends its tokens.
      secret_id: input.secretId,
    };
    if (input.scope !== "") claims.scope = input.scope;
    return encodeJwt(await this.keyring.signer(application.tenant.id, application.algorithm), claims);
  }

  /**
   * Verifies a user's access token.
   * @param options.expired also accepts an expired or revoked token, because a sign-out may come late
   * @throws AppError `authentication_required` unless it is an access token of this instance, `token_expired`, `token_revoked`
   */
  async verify(token: string, options: { expired?: boolean } = {}): Promise<AccessToken> {
    const verified = await this.verifyAny(token, options);
    if (!("sid" in verified)) throw invalidToken();
    return verified;
  }

  /** Verifies an access token of an M2M client, like {@link verify}, and accepts no other token. */
  async verifyClient(token: string): Promise<ClientToken> {
    const verified = await this.verifyAny(token);
    if ("sid" in verified) throw invalidToken();
    return verified;
  }

  /** Verifies an access token of a user or a client, like {@link verify}. A token with `sid` belongs to a user. */
  async verifyAny(token: string, options: { expired?: boolean } = {}): Promise<AccessToken | ClientToken> {
    const digest = hash("sha256", token, "base64");
    const seen = this.#verified.get(digest);
    const verified = seen ?? (await this.#verifyNew(token));
    if (seen === undefined) this.#remember(digest, verified);
    // A key that was withdrawn since verifies nothing, not even a sign-out.
    else if (!this.keyring.vouchesFor(verified.kid)) await this.#keyOf(verified.kid);
    const now = toSeconds(this.clock.now());
    // Refuses a token that was issued in the future: the clock was set back, and an expired token must not become valid again.
    const isFuture = verified.issuedAt > now + CLOCK_SKEW;
    if ((isFuture || verified.expiresAt <= now) && !options.expired) {
      throw new AppError(
        "token_expired",
        isFuture ? { message: "The token is of a later time than now: set the clock." } : {},
      );
    }
    // The server obeys the entries of the application and the tenant, as verifiers do.
    const { directory } = this;
    const { applicationId } = verified;
    const application = directory.cachedApplication(applicationId) ?? (await directory.application(applicationId));
    const isRevoked = application !== null && verified.issuedAt * SECOND < application.tokensFrom;
    if (isRevoked && !options.expired) throw new AppError("token_revoked");
    return verified;
  }

  /** Forgets the verified tokens after a tenant or a key has changed. */
  forget(): void {
    this.#verified.clear();
  }

  async #verifyNew(token: string): Promise<AccessToken | ClientToken> {
    try {
      const parsed = parseJws(token, this.#headers);
      const kid = parsed.header.kid;
      if (typeof kid !== "string") throw invalidToken();
      const key = await this.#keyOf(kid);
      if (!verifyJws(parsed, key.verify)) throw invalidToken();
      const claims = decodeClaims(parsed);
      const applicationId = uuid(claims.azp);
      const application = await this.directory.application(applicationId);
      // A tenant's key may sign for that tenant only, and only under the issuer in its configuration.
      if (!application || application.tenant.id !== key.tenantId || claims.iss !== application.tenant.issuer) {
        throw invalidToken();
      }
      if (claims.typ !== "access") throw invalidToken();
      const common = {
        sub: uuid(claims.sub),
        jti: uuid(claims.jti),
        applicationId,
        audience: text(claims.aud),
        scope: claims.scope === undefined ? "" : text(claims.scope),
        issuedAt: seconds(claims.iat),
        expiresAt: seconds(claims.exp),
        kid,
      };
      if (claims.sid === undefined && common.sub === applicationId) {
        return { ...common, secretId: claims.secret_id === undefined ? null : uuid(claims.secret_id) };
      }
      return { ...common, sid: uuid(claims.sid), authTime: seconds(claims.auth_time) };
    } catch (error) {
      if (error instanceof JwsError) throw invalidToken(error);
      throw error;
    }
  }

  /** @throws AppError `token_revoked` for a withdrawn key, so that a session refreshes; `authentication_required` */
  async #keyOf(kid: string): Promise<TenantKey> {
    const key = await this.keyring.verifier(kid);
    if (!key) throw invalidToken();
    if (key.isWithdrawn) throw new AppError("token_revoked", { message: "The key of this token was withdrawn." });
    return key;
  }

  #remember(digest: string, token: AccessToken | ClientToken): void {
    if (token.expiresAt * SECOND <= this.clock.now()) return;
    this.#verified.set(digest, token);
  }
}

function invalidToken(cause?: unknown): AppError {
  return new AppError("authentication_required", {
    message: "The access token is not valid here.",
    challenge: 'Bearer error="invalid_token"',
    cause,
  });
}

function text(value: unknown): string {
  if (typeof value !== "string") throw invalidToken();
  return value;
}

function uuid(value: unknown): string {
  if (!isUuid(value)) throw invalidToken();
  return value;
}

function seconds(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw invalidToken();
  return value;
}
