import { AppError } from "../../core/errors.ts";
import { isAudience, MANAGEMENT_SCOPES } from "../../identity/clients/administration.ts";
import { introspect, type Reach } from "../../identity/clients/introspection.ts";
import { OAuthError } from "../../identity/clients/oauth-error.ts";
import type { Identity } from "../../identity/identity.ts";
import { DEFAULT_TENANT_SLUG, type Tenant } from "../../identity/tenants/tenant.ts";
import { bearerToken } from "../../rpc/bearer.ts";
import { conditional, entityTag } from "../conditional.ts";
import type { Edge, Exchange, Handler } from "../edge.ts";
import { authenticateClient } from "./client-authentication.ts";
import { malformed, readForm } from "./form.ts";

const VISIBLE = /^[\x21-\x7e]{1,255}$/;

type Form = ReadonlyMap<string, string>;
type Answer = (exchange: Exchange, tenant: Tenant, form: Form) => Promise<unknown>;

/** OAuth endpoints for machine clients (RFC 6749, 7009, 7662, 8414, 8707). */
export function oauthHandlers(
  identity: Pick<Identity, "accessTokens" | "apiKeys" | "clients" | "clock" | "directory" | "storage">,
  edge: Edge,
) {
  const tenantOf = async (exchange: Exchange) => {
    const tenant = await identity.directory.tenantBySlug(exchange.tenantSlug ?? DEFAULT_TENANT_SLUG);
    if (!tenant || tenant.disabled) throw new AppError("not_found");
    return tenant;
  };
  const endpoint =
    (answer: Answer): Handler =>
    async (exchange) => {
      try {
        const tenant = await tenantOf(exchange);
        const body = await answer(exchange, tenant, await readForm(exchange.request));
        // RFC 6749 section 5.1; the edge sets Cache-Control: no-store.
        exchange.headers.pragma = "no-cache";
        return edge.json(exchange, 200, body);
      } catch (error) {
        return fail(edge, exchange, error);
      }
    };

  return {
    token: endpoint(async (exchange, tenant, form) => {
      const client = await authenticateClient(identity, exchange, tenant, form);
      const type = form.get("grant_type");
      if (type === undefined) throw malformed("grant_type is missing.");
      if (type !== "client_credentials") {
        throw new OAuthError("unsupported_grant_type", "Use the grant type client_credentials.");
      }
      const asked = { audience: targetOf(form), scope: form.get("scope") ?? null };
      const issued = await identity.clients.issue(client, asked, exchange.origin);
      return {
        access_token: issued.accessToken,
        token_type: "Bearer",
        expires_in: issued.expiresIn,
        scope: issued.scope,
      };
    }),
    revoke: endpoint(async (exchange, tenant, form) => {
      const client = await authenticateClient(identity, exchange, tenant, form);
      await identity.clients.revoke(client, tokenOf(form), exchange.origin);
      return {};
    }),
    introspect: endpoint(async (exchange, tenant, form) => {
      const reach = await readerOf(identity, exchange, tenant, form);
      return (await introspect(identity, tokenOf(form), reach)) ?? { active: false };
    }),
    metadata: async (exchange: Exchange): Promise<Response> => {
      const { issuer } = await tenantOf(exchange);
      const methods = ["client_secret_basic", "client_secret_post"];
      const body = JSON.stringify({
        issuer,
        token_endpoint: `${issuer}/oauth2/token`,
        revocation_endpoint: `${issuer}/oauth2/revoke`,
        introspection_endpoint: `${issuer}/oauth2/introspect`,
        jwks_uri: `${issuer}/oauth2/jwks`,
        scopes_supported: MANAGEMENT_SCOPES,
        // RFC 8414 requires this member. It is empty because no redirect authorizes anything here.
        response_types_supported: [],
        grant_types_supported: ["client_credentials"],
        token_endpoint_auth_methods_supported: methods,
        revocation_endpoint_auth_methods_supported: methods,
        introspection_endpoint_auth_methods_supported: methods,
      });
      return conditional(exchange, body, entityTag(body), {
        "access-control-allow-origin": "*",
        "content-type": "application/json",
        "cache-control": "public, max-age=300",
      });
    },
  };
}

/** Returns the target. `resource` (RFC 8707) and `audience` mean the same here, and must agree if both are given. */
function targetOf(form: Form): string | null {
  const resource = form.get("resource");
  const target = resource ?? form.get("audience") ?? null;
  if (resource !== undefined && (form.get("audience") ?? resource) !== resource) {
    throw new OAuthError("invalid_target", "audience and resource name different targets.");
  }
  if (resource !== undefined && !isAudience(resource)) {
    throw new OAuthError("invalid_target", "resource must be an absolute URI without a fragment.");
  }
  // Refused early: no registered audience looks like this, and PostgreSQL refuses text with a NUL.
  if (target !== null && !VISIBLE.test(target))
    throw new OAuthError("invalid_target", "The audience is not valid. Use 1 to 255 visible ASCII characters.");
  return target;
}

function tokenOf(form: Form): string {
  const token = form.get("token");
  if (token === undefined) throw malformed("token is missing.");
  return token;
}

const INTROSPECT = "tokens:read";

/**
 * Returns the tokens that the caller may read. An M2M client reads all of its tenant, and a secret key (as Bearer) those
 * of its application; both need a scope. A token that is sent as its own Bearer reads itself: a verifier needs no secret
 * then. Its holder could learn the same by using it, and cannot scan for others (RFC 7662 section 2.1).
 */
async function readerOf(
  identity: Pick<Identity, "apiKeys" | "clients">,
  exchange: Exchange,
  tenant: Tenant,
  form: Form,
): Promise<Reach> {
  const bearer = bearerToken(exchange.request.headers.get("authorization") ?? "");
  if (bearer !== null && bearer === form.get("token")) return { tenantId: tenant.id, applicationId: null };
  if (!bearer?.startsWith("sally_sk_")) {
    const client = await authenticateClient(identity, exchange, tenant, form);
    requireScope(await identity.clients.managementScopes(client));
    return { tenantId: tenant.id, applicationId: null };
  }
  const { application, scopes } = await identity.apiKeys.authenticate(bearer, exchange.origin);
  if (application.tenant.id !== tenant.id) throw new AppError("invalid_credentials");
  requireScope(scopes);
  return { tenantId: tenant.id, applicationId: application.id };
}

function requireScope(held: ReadonlySet<string>): void {
  if (held.has(INTROSPECT) || held.has("admin")) return;
  throw new OAuthError("insufficient_scope", `Introspection needs the scope ${INTROSPECT}.`, {
    challenge: `Bearer error="insufficient_scope", scope="${INTROSPECT}"`,
  });
}

/** Answers with an OAuth error (RFC 6749 section 5.2). */
function fail(edge: Edge, exchange: Exchange, thrown: unknown): Response {
  const error = thrown instanceof OAuthError ? thrown : translate(edge, exchange, thrown);
  const { challenge, retryAfter } = error.options;
  if (challenge !== undefined) exchange.headers["www-authenticate"] = challenge;
  if (retryAfter !== undefined) exchange.headers["retry-after"] = String(retryAfter);
  exchange.headers.pragma = "no-cache";
  return edge.json(exchange, error.status, { error: error.code, error_description: error.description });
}

/** Translates an error of the other folders into OAuth's terms. The edge logs undeclared errors. */
function translate(edge: Edge, exchange: Exchange, thrown: unknown): OAuthError {
  const { status } = edge.report(exchange, thrown);
  if (status === 401) {
    return new OAuthError("invalid_token", "The secret key is not valid for this issuer.", {
      challenge: 'Bearer error="invalid_token"',
    });
  }
  if (status === 403)
    return new OAuthError("unauthorized_client", "The credential may not be used from this network.", { status });
  if (status === 404) return new OAuthError("invalid_request", "There is no such issuer.", { status });
  if (status === 413) return new OAuthError("invalid_request", "The body is too large.", { status });
  if (status === 429 || status === 503) {
    return new OAuthError("temporarily_unavailable", "The server cannot answer now. Try again later.", { status });
  }
  return new OAuthError("server_error", "Something went wrong on the server.", { status: 500 });
}
