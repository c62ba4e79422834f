import { SECOND } from "../core/clock.ts";
import { AppError } from "../core/errors.ts";
import { requireId } from "../core/ids.ts";
import type { Identity } from "../identity/identity.ts";
import { JWKS_MAX_AGE, type TenantKey } from "../identity/keys/keyring.ts";
import { DEFAULT_TENANT_SLUG } from "../identity/tenants/tenant.ts";
import type { KeyAlgorithm } from "../storage/schema.ts";
import type { Handler } from "./edge.ts";
import { type PublicDocument, publicDocument, publicJson } from "./public-document.ts";
import type { StaticDocument } from "./static-documents.ts";

interface BuiltSet {
  document: PublicDocument;
  /** Milliseconds; the time when the first of its keys expires. */
  validUntil: number;
}

/** Auth0's Java provider appends the well-known path to any URL that it gets. */
const doubled = (path: string) => [path, `${path}/.well-known/jwks.json`] as const;
export const JWKS_PATHS = {
  root: doubled("/.well-known/jwks.json"),
  application: doubled("/v1/applications/:id/.well-known/jwks.json"),
  tenant: doubled("/oauth2/jwks"),
} as const;

interface JwksHandlers {
  root: Handler;
  application: Handler;
  tenant: Handler;
  /** The default tenant's sets at the root of the issuer. */
  documents: StaticDocument[];
}

/** Milliseconds; small next to the minutes for which a cache may keep a JWKS. */
const RECENT = SECOND;

/**
 * Serves JWKS (RFC 7517). The first two sets hold a single algorithm, because mixed sets break real verifiers. The
 * tenant's own set holds all. Keys appear and disappear at the times of the keyring.
 */
export function jwksHandlers(identity: Pick<Identity, "clock" | "directory" | "keyring">): JwksHandlers {
  const { keyring, clock } = identity;
  // Keyed by the keyring's list, which is a new object after each read; an entry is valid until its first key expires.
  const built = new WeakMap<readonly TenantKey[], Map<KeyAlgorithm | undefined, BuiltSet>>();
  const document = async (tenantId: string, algorithm?: KeyAlgorithm): Promise<BuiltSet> => {
    const known = built.get(await keyring.keys(tenantId))?.get(algorithm);
    if (known && known.validUntil > clock.now()) return known;
    if (algorithm !== undefined) await keyring.signer(tenantId, algorithm);
    const list = await keyring.keys(tenantId);
    const made = publicDocument({ keys: keyring.published(list, algorithm) }, JWKS_MAX_AGE / SECOND);
    const ends = list.map((key) => key.expiresAt ?? Number.POSITIVE_INFINITY).filter((at) => at > clock.now());
    const sets = built.get(list) ?? new Map<KeyAlgorithm | undefined, BuiltSet>();
    const set = { document: made, validUntil: Math.min(...ends) };
    built.set(list, sets.set(algorithm, set));
    return set;
  };
  /** Answers from a recent document if the tenant of the request alone decides which set to send. */
  const recent = (find: (tenantSlug: string | null) => Promise<BuiltSet>): Handler => {
    const found = new Map<string | null, { foundAt: number; revision: number; document: PublicDocument }>();
    return (exchange) => {
      const known = found.get(exchange.tenantSlug);
      // A document must never lack a signing key: a verifier that meets a new `kid` asks here and must find it.
      if (known && known.revision === keyring.revision && Math.abs(known.foundAt - clock.now()) <= RECENT) {
        return publicJson(exchange, known.document);
      }
      return find(exchange.tenantSlug).then(({ document }) => {
        found.set(exchange.tenantSlug, { foundAt: clock.now(), revision: keyring.revision, document });
        return publicJson(exchange, document);
      });
    };
  };
  const root = async (tenantSlug: string | null) => {
    const application = await identity.directory.resolve({ header: null, tenantSlug });
    return document(application.tenant.id, application.algorithm);
  };
  const whole = async (tenantSlug: string | null) => {
    const tenant = await identity.directory.tenantBySlug(tenantSlug ?? DEFAULT_TENANT_SLUG);
    if (!tenant || tenant.disabled) throw new AppError("not_found");
    return document(tenant.id);
  };
  return {
    root: recent(root),
    tenant: recent(whole),
    documents: [
      { paths: JWKS_PATHS.root, read: () => root(null) },
      { paths: JWKS_PATHS.tenant, read: () => whole(null) },
    ],
    application: async (exchange) => {
      const id = requireId("application", exchange.request.params?.id ?? "", "id");
      const application = await identity.directory.application(id);
      if (!application || application.disabled || application.tenant.disabled) throw new AppError("not_found");
      const slug = exchange.tenantSlug;
      if (slug !== null && slug !== application.tenant.slug) throw new AppError("not_found");
      const set = await document(application.tenant.id, application.algorithm);
      return publicJson(exchange, set.document);
    },
  };
}
