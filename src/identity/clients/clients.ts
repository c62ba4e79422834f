import type { RequestOrigin } from "../../core/caller.ts";
import type { Clock } from "../../core/clock.ts";
import { HOUR, MINUTE, SECOND } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { Limit } from "../../core/limits.ts";
import { digestEquals, parseSecret } from "../../crypto/secrets.ts";
import { admit } from "../../storage/rate-limits.ts";
import type { ClientSecretsTable } from "../../storage/schema.ts";
import type { Storage } from "../../storage/storage.ts";
import type { KeyCaller } from "../api-keys/api-keys.ts";
import type { Application } from "../applications/application.ts";
import type { Directory } from "../applications/directory.ts";
import { ActIn, ANONYMOUS, placeOf } from "../audit/act.ts";
import { findResourceScopes } from "../resources/public.ts";
import { insertRevocation, isRevoked } from "../revocations/public.ts";
import type { AccessTokens, ClientToken } from "../sessions/access-tokens.ts";
import type { Tenant } from "../tenants/tenant.ts";
import { MANAGEMENT, SCOPE_TOKEN } from "./administration.ts";
import { OAuthError } from "./oauth-error.ts";
import { findClientGrant, findClientSecret, touchClientSecret } from "./store.ts";

export interface ClientCredentials {
  /** A plain UUID; null if the given id is not valid. */
  clientId: string | null;
  secret: string;
}

/** A client that has proven its secret. */
export interface Client {
  application: Application;
  secret: ClientSecretsTable;
}

export interface ClientGrant {
  accessToken: string;
  /** In seconds. */
  expiresIn: number;
  scope: string;
}

interface ClientLimits {
  limit_client: Limit;
  limit_client_failures: Limit;
}

/** Authenticates M2M clients and issues their tokens. The token endpoint's errors are {@link OAuthError}. */
export class Clients {
  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    private readonly directory: Directory,
    private readonly accessTokens: AccessTokens,
    private readonly limits: ClientLimits,
  ) {}

  /**
   * Authenticates a client, with one answer for every mistake. It finds the row by the secret and never by the client id, so
   * neither the answer nor the work shows whether a client exists.
   * @throws OAuthError `invalid_client`; 429 for a network with too many wrong guesses
   */
  async authenticate(tenant: Tenant, given: ClientCredentials, origin: RequestOrigin): Promise<Client> {
    const parsed = parseSecret("cs", given.secret);
    const row = parsed ? await findClientSecret(this.storage.read, parsed.keyId) : undefined;
    if (!parsed || !row || !digestEquals(row.secret_digest, parsed.digest)) return this.#refuse(tenant, origin, null);
    const application = await this.directory.application(row.application_id);
    const wrong = whyRefused(row, application, tenant, given.clientId);
    if (wrong !== null || application === null)
      return this.#refuse(tenant, origin, { row, reason: wrong ?? "unknown" });
    return { application, secret: row };
  }

  /**
   * Issues a token for one audience.
   * @param asked.audience null: `<issuer>/management`
   * @param asked.scope space-separated; null: all granted scopes
   * @throws OAuthError `invalid_target` for an audience that is unknown or not granted to this client, `invalid_scope`; 429
   */
  async issue(
    client: Client,
    asked: { audience: string | null; scope: string | null },
    origin: RequestOrigin,
  ): Promise<ClientGrant> {
    const { application } = client;
    const audience = asked.audience ?? managementAudience(application.tenant);
    const granted = await this.#granted(application, audience);
    if (granted === null) throw new OAuthError("invalid_target", "This client has no grant for that audience.");
    const scope = narrow(granted, asked.scope);
    const now = this.clock.now();
    const { limit_client: limit } = this.limits;
    const act = new ActIn(application, origin, { kind: "client", id: application.id });
    const retryAfter = await this.storage.write(async (tx) => {
      const answer = await admit(tx, `client:${application.id}:${origin.network}`, limit, now);
      if (!answer.admitted) return answer.retryAfter;
      if (now - (client.secret.last_used_at ?? 0) >= HOUR) await touchClientSecret(tx, client.secret.id, now);
      const details = { audience, scope, secret_id: client.secret.id };
      await act.audit(tx, now, "client.token_issued", { kind: "application", id: application.id }, details);
      return 0;
    });
    if (retryAfter > 0) throw tooMany(retryAfter);
    const expiresIn = application.accessTokenTtl;
    const accessToken = await this.accessTokens.mintForClient(application, {
      audience,
      scope,
      lifetime: expiresIn,
      secretId: client.secret.id,
    });
    return { accessToken, expiresIn, scope };
  }

  /**
   * Revokes one of the client's own tokens. An invalid or expired token is not an error (RFC 7009 section 2.2).
   * @throws OAuthError `unauthorized_client` for a token of another client
   */
  async revoke(client: Client, token: string, origin: RequestOrigin): Promise<void> {
    const verified = await this.#readable(token);
    if (verified === null) return;
    const { application } = client;
    if (verified.sub !== application.id || "sid" in verified) {
      throw new OAuthError("unauthorized_client", "The token was not issued to this client.");
    }
    const now = this.clock.now();
    const tenantId = application.tenant.id;
    const act = new ActIn(application, origin, { kind: "client", id: application.id });
    await this.storage.write(async (tx) => {
      if (await isRevoked(tx, tenantId, verified.jti, verified.issuedAt * SECOND, now)) return;
      await insertRevocation(tx, now, {
        tenantId,
        kind: "jti",
        id: verified.jti,
        issuedBefore: verified.issuedAt * SECOND + SECOND,
        expiresAt: verified.expiresAt * SECOND + MINUTE,
      });
      await act.audit(tx, now, "client.token_revoked", { kind: "token", id: verified.jti });
    });
  }

  /**
   * Returns the caller that an M2M token for the management API identifies. It reads the grant again, so a scope that was
   * removed is also gone from tokens in use.
   * @throws AppError `authentication_required`, `token_expired`, `token_revoked`
   */
  async callerOf(token: string): Promise<KeyCaller> {
    const verified = await this.accessTokens.verifyClient(token);
    const application = await this.live(verified);
    if (application === null) throw new AppError("token_revoked", { message: "The token was revoked." });
    if (verified.audience !== managementAudience(application.tenant)) {
      throw new AppError("authentication_required", {
        message: `The token is for another audience. Ask for a token for ${managementAudience(application.tenant)}.`,
        challenge: 'Bearer error="invalid_token"',
      });
    }
    const granted = (await this.#granted(application, verified.audience)) ?? [];
    const held = new Set(verified.scope.split(" "));
    return {
      kind: "client",
      id: application.id,
      application,
      scopes: new Set(granted.filter((scope) => held.has(scope))),
      // A key that this caller makes must not outlive the caller, and the token's expiry is the only known limit.
      expiresAt: verified.expiresAt * SECOND,
      rateLimit: null,
      networks: [],
    };
  }

  /** Returns the scopes that the client holds at the management API. */
  async managementScopes(client: Client): Promise<ReadonlySet<string>> {
    const { application } = client;
    return new Set((await this.#granted(application, managementAudience(application.tenant))) ?? []);
  }

  /** Returns the token's client, or null if the client, its tenant or the token has ended since. */
  async live(token: ClientToken): Promise<Application | null> {
    const application = await this.directory.application(token.applicationId);
    if (!application || application.disabled || application.tenant.disabled || application.type !== "m2m") return null;
    const { read } = this.storage;
    const issuedAt = token.issuedAt * SECOND;
    for (const id of [token.jti, token.secretId]) {
      if (id !== null && (await isRevoked(read, application.tenant.id, id, issuedAt, this.clock.now()))) return null;
    }
    return application;
  }

  async #readable(token: string) {
    try {
      return await this.accessTokens.verifyAny(token);
    } catch (error) {
      if (error instanceof AppError && error.status === 401) return null;
      throw error;
    }
  }

  async #granted(application: Application, audience: string): Promise<string[] | null> {
    const name = audience === managementAudience(application.tenant) ? MANAGEMENT : audience;
    // The word itself is not an audience: a request names a URI.
    if (audience === MANAGEMENT) return null;
    const { read } = this.storage;
    const row = await findClientGrant(read, application.id, name);
    if (!row) return null;
    const granted = JSON.parse(row.scopes) as string[];
    if (name === MANAGEMENT) return granted;
    // A deleted resource is no longer a target, whatever was granted at it before.
    const known = await findResourceScopes(read, application.tenant.id, name);
    return known ? granted.filter((scope) => known.includes(scope)) : null;
  }

  async #refuse(
    tenant: Tenant,
    origin: RequestOrigin,
    known: { row: ClientSecretsTable; reason: string } | null,
  ): Promise<never> {
    const now = this.clock.now();
    const own = known?.row.tenant_id === tenant.id ? known : null;
    const act = new ActIn(placeOf(tenant.id, own?.row.application_id), origin, ANONYMOUS);
    const answer = await this.storage.write(async (tx) => {
      const admission = await admit(tx, `client-failures:${origin.network}`, this.limits.limit_client_failures, now);
      const action = admission.admitted ? "client.refused" : "attempt.throttled";
      const target = own && { kind: "client_secret", id: own.row.id };
      await act.auditRefusal(tx, now, action, target, { reason: own?.reason ?? "unknown secret" });
      return admission;
    });
    throw answer.admitted ? invalidClient(tenant) : tooMany(answer.retryAfter);
  }
}

/** Returns the audience of a tenant's management API. */
function managementAudience(tenant: Tenant): string {
  return `${tenant.issuer}/management`;
}

export function invalidClient(tenant: Tenant): OAuthError {
  return new OAuthError("invalid_client", "The client is unknown here, or its secret is wrong.", {
    challenge: `Basic realm="${tenant.issuer}"`,
  });
}

function whyRefused(row: ClientSecretsTable, application: Application | null, tenant: Tenant, clientId: string | null) {
  if (row.application_id !== clientId) return "another client";
  if (!application || application.tenant.id !== tenant.id) return "another tenant";
  if (row.revoked_at !== null) return "revoked";
  if (application.type !== "m2m") return "no client";
  return application.disabled || application.tenant.disabled ? "disabled" : null;
}

/** Returns the requested subset of the grant, in the grant's order (RFC 6749 section 3.3). */
function narrow(granted: readonly string[], asked: string | null): string {
  if (asked === null) return granted.join(" ");
  const wanted = asked.split(" ");
  for (const scope of wanted) {
    if (!SCOPE_TOKEN.test(scope)) throw new OAuthError("invalid_scope", "The scope is malformed.");
    if (!granted.includes(scope)) throw new OAuthError("invalid_scope", "The scope exceeds the grant of this client.");
  }
  return granted.filter((scope) => wanted.includes(scope)).join(" ");
}

function tooMany(retryAfter: number): OAuthError {
  return new OAuthError("temporarily_unavailable", "Too many requests. Try again later.", { status: 429, retryAfter });
}
