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

interface BuiltSet {
  document: PublicDocument;
  /** When its first key expires, in ms. */
  validUntil: number;
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
  const { keyring, clock } = identity;
  // By the keyring's own list, which is a new one each time that it was read again, until its first key expires.
  const built = new WeakMap<readonly TenantKey[], Map<KeyAlgorithm | undefined, BuiltSet>>();
  const document = async (tenantId: string, algorithm?: KeyAlgorithm): Promise<PublicDocument> => {
    const known = built.get(await keyring.keys(tenantId))?.get(algorithm);
    if (known && known.validUntil > clock.now()) return known.document;
    if (algorithm !== undefined) await keyring.signer(tenantId, algorithm);
    const list = await keyring.keys(tenantId);
    const made = publicDocument({ keys: keyring.published(list, algorithm) }, JWKS_MAX_AGE / SECOND);
    const ends = list.map((key) => key.expiresAt ?? Number.POSITIVE_INFINITY).filter((at) => at > clock.now());
    const sets = built.get(list) ?? new Map<KeyAlgorithm | undefined, BuiltSet>();
    built.set(list, sets.set(algorithm, { document: made, validUntil: Math.min(...ends) }));
    return made;
  };
  /** Answers at once, from a document of a moment ago, where the request's tenant alone decides which one it is. */
  const recent = (find: (exchange: Exchange) => Promise<PublicDocument>): Handler => {
    const found = new Map<string | null, { foundAt: number; revision: number; document: PublicDocument }>();
    return (exchange) => {
      const known = found.get(exchange.tenantSlug);
      // Never older than the keys that sign: who meets a new `kid` and asks here must find it.
      if (known && known.revision === keyring.revision && Math.abs(known.foundAt - clock.now()) <= RECENT) {
        return publicJson(exchange, known.document);
      }
      return find(exchange).then((made) => {
        found.set(exchange.tenantSlug, { foundAt: clock.now(), revision: keyring.revision, document: made });
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
