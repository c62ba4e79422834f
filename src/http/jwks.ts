import { SECOND } from "../core/clock.ts";
import { AppError } from "../core/errors.ts";
import { requireId } from "../core/ids.ts";
import type { Identity } from "../identity/identity.ts";
import { JWKS_MAX_AGE, type TenantKey } from "../identity/keys/keyring.ts";
import { DEFAULT_TENANT_SLUG } from "../identity/tenants/directory.ts";
import type { KeyAlgorithm } from "../storage/schema.ts";
import { conditional, entityTag } from "./conditional.ts";
import type { Exchange, Handler } from "./edge.ts";

/** Public documents: any page may read them, any cache may keep them. */
const PUBLIC = { "access-control-allow-origin": "*", "content-type": "application/json" };

export interface PublicDocument {
  body: string;
  etag: string;
  headers: Record<string, string>;
}

/** @param maxAge seconds */
export function publicDocument(value: unknown, maxAge: number): PublicDocument {
  const body = JSON.stringify(value);
  return { body, etag: entityTag(body), headers: { ...PUBLIC, "cache-control": `public, max-age=${maxAge}` } };
}

/** Milliseconds; beside the minutes for which anybody may keep a JWKS, nothing. */
const RECENT = SECOND;

/** JSON that anybody may cache, answered 304 to who has it already (RFC 9110 section 13.1.2). */
export function publicJson(exchange: Exchange, document: PublicDocument): Response {
  return conditional(exchange, document.body, document.etag, document.headers);
}

/**
 * JWKS (RFC 7517). The first two hold one algorithm only, because mixed sets break real verifiers; the tenant's own holds
 * all. Keys come and go by the keyring's times.
 */
export function jwksHandlers(identity: Identity): { root: Handler; application: Handler; tenant: Handler } {
  // By the keyring's own list, which is a new one each time that it was read again: seconds old at most.
  const built = new WeakMap<readonly TenantKey[], Map<KeyAlgorithm | undefined, PublicDocument>>();
  const document = async (tenantId: string, algorithm?: KeyAlgorithm) => {
    const known = built.get(await identity.keyring.keys(tenantId))?.get(algorithm);
    if (known) return known;
    if (algorithm !== undefined) await identity.keyring.signer(tenantId, algorithm);
    const list = await identity.keyring.keys(tenantId);
    const made = publicDocument({ keys: identity.keyring.published(list, algorithm) }, JWKS_MAX_AGE / SECOND);
    built.set(list, (built.get(list) ?? new Map<KeyAlgorithm | undefined, PublicDocument>()).set(algorithm, made));
    return made;
  };
  /** Answers at once, from a document of a moment ago, where the request's tenant alone decides which one it is. */
  const recent = (find: (exchange: Exchange) => Promise<PublicDocument>): Handler => {
    const found = new Map<string | null, { foundAt: number; document: PublicDocument }>();
    return (exchange) => {
      const known = found.get(exchange.tenantSlug);
      if (known && Math.abs(known.foundAt - identity.clock.now()) <= RECENT)
        return publicJson(exchange, known.document);
      return find(exchange).then((made) => {
        found.set(exchange.tenantSlug, { foundAt: identity.clock.now(), document: made });
        return publicJson(exchange, made);
      });
    };
  };
  return {
    root: recent(async (exchange) => {
      const application = await identity.directory.resolve({ header: null, tenantSlug: exchange.tenantSlug });
      return document(application.tenant.id, application.algorithm);
    }),
    application: async (exchange) => {
      const id = requireId("application", exchange.request.params?.id ?? "", "id");
      const application = await identity.directory.application(id);
      if (!application || application.disabled || application.tenant.disabled) throw new AppError("not_found");
      const slug = exchange.tenantSlug;
      if (slug !== null && slug !== application.tenant.slug) throw new AppError("not_found");
      return publicJson(exchange, await document(application.tenant.id, application.algorithm));
    },
    tenant: recent(async (exchange) => {
      const tenant = await identity.directory.tenantBySlug(exchange.tenantSlug ?? DEFAULT_TENANT_SLUG);
      if (!tenant || tenant.disabled) throw new AppError("not_found");
      return document(tenant.id);
    }),
  };
}
