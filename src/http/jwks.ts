import { AppError } from "../core/errors.ts";
import { requireId } from "../core/ids.ts";
import { sha256Base64url } from "../crypto/secrets.ts";
import type { Identity } from "../identity/identity.ts";
import { JWKS_MAX_AGE } from "../identity/keys/keyring.ts";
import { DEFAULT_TENANT_SLUG } from "../identity/tenants/directory.ts";
import type { KeyAlgorithm } from "../storage/schema.ts";
import type { Exchange, Handler } from "./edge.ts";

/** Public documents: any page may read them, any cache may keep them. */
const PUBLIC = { "access-control-allow-origin": "*", "content-type": "application/json" };

/** JSON that anybody may cache, answered 304 to who has it already (RFC 9110 section 13.1.2). */
export function publicJson(exchange: Exchange, body: string, maxAge: number): Response {
  const etag = `"${sha256Base64url(body)}"`;
  const headers = { ...exchange.headers, ...PUBLIC, "cache-control": `public, max-age=${maxAge}`, etag };
  const known = exchange.request.headers.get("if-none-match");
  if (known !== null && (known === "*" || known.split(/ *, */).some((tag) => tag.replace(/^W\//, "") === etag))) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(body, { headers });
}

/**
 * JWKS (RFC 7517). The first two hold one algorithm only, because mixed sets break real verifiers; the tenant's own holds
 * all. Keys come and go by the keyring's times.
 */
export function jwksHandlers(identity: Identity): { root: Handler; application: Handler; tenant: Handler } {
  const answer = async (exchange: Exchange, tenantId: string, algorithm?: KeyAlgorithm) => {
    if (algorithm !== undefined) await identity.keyring.signer(tenantId, algorithm);
    const keys = await identity.keyring.published(tenantId, algorithm);
    return publicJson(exchange, JSON.stringify({ keys }), JWKS_MAX_AGE / 1_000);
  };
  return {
    root: async (exchange) => {
      const application = await identity.directory.resolve({ header: null, tenantSlug: exchange.tenantSlug });
      return answer(exchange, application.tenant.id, application.algorithm);
    },
    application: async (exchange) => {
      const id = requireId("application", exchange.request.params?.id ?? "", "id");
      const application = await identity.directory.application(id);
      if (!application || application.disabled || application.tenant.disabled) throw new AppError("not_found");
      const slug = exchange.tenantSlug;
      if (slug !== null && slug !== application.tenant.slug) throw new AppError("not_found");
      return answer(exchange, application.tenant.id, application.algorithm);
    },
    tenant: async (exchange) => {
      const tenant = await identity.directory.tenantBySlug(exchange.tenantSlug ?? DEFAULT_TENANT_SLUG);
      if (!tenant || tenant.disabled) throw new AppError("not_found");
      return answer(exchange, tenant.id);
    },
  };
}
