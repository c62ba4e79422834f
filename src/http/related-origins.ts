import { SECOND } from "../core/clock.ts";
import { AppError } from "../core/errors.ts";
import { isWildcard } from "../identity/applications/page-origins.ts";
import { listApplications } from "../identity/applications/public.ts";
import { isWithinDomain, relyingPartyId } from "../identity/applications/relying-party.ts";
import type { Identity } from "../identity/identity.ts";
import { DEFAULT_TENANT_SLUG } from "../identity/tenants/tenant.ts";
import type { Handler } from "./edge.ts";
import { publicDocument, publicJson } from "./public-document.ts";
import { queryOf } from "./request-target.ts";

/** Seconds for which anyone may cache the document. */
const MAX_AGE = 300;
/** Milliseconds; limits the queries that callers of this public address can cause. */
const RECENT = 2 * SECOND;

/** The RP IDs of a tenant's enabled applications, with the page origins of each. */
interface Known {
  until: number;
  pages: { rpId: string; origins: string[] }[];
}

/**
 * Serves `/.well-known/webauthn` (WebAuthn level 3, section 5.11): the pages on other domains that may use the passkeys
 * of this domain. Browsers fetch it from the RP ID's own host, so it describes the RP ID of the tenant's default
 * application. A site with another RP ID copies or forwards the answer to `?rp_id=`. The listed origins come only from
 * the applications' own origins. Pages on the domain itself need no entry, and without other pages there is no
 * document.
 */
export function relatedOriginsHandler(identity: Pick<Identity, "clock" | "directory" | "storage">): Handler {
  const { directory, clock, storage } = identity;
  const known = new Map<string, Known>();
  const pagesOf = async (tenantId: string): Promise<Known["pages"]> => {
    const found = known.get(tenantId);
    const now = clock.now();
    if (found && found.until > now && found.until <= now + RECENT) return found.pages;
    const rows = (await listApplications(storage.read, tenantId)).filter((row) => row.disabled_at === null);
    const pages = rows.map((row) => ({
      rpId: relyingPartyId(row.passkey_rp_id, directory.publicUrl),
      origins: JSON.parse(row.origins) as string[],
    }));
    known.set(tenantId, { until: now + RECENT, pages });
    return pages;
  };
  return async (exchange) => {
    const tenant = await directory.tenantBySlug(exchange.tenantSlug ?? DEFAULT_TENANT_SLUG);
    if (!tenant || tenant.disabled) throw new AppError("not_found");
    const asked = queryOf(exchange.request.url).get("rp_id");
    const main = tenant.defaultApplicationId === null ? null : await directory.application(tenant.defaultApplicationId);
    const rpId = asked ?? relyingPartyId(main?.passkeyRpId ?? null, directory.publicUrl);
    const all = (await pagesOf(tenant.id)).flatMap((page) => (page.rpId === rpId ? page.origins : []));
    // Browsers relate no plain http origins (section 5.11.1, step 1), and know no wildcards there.
    const origins = [...new Set(all)].filter(
      (url) => url.startsWith("https:") && !isWildcard(url) && !isWithinDomain(url, rpId),
    );
    if (origins.length === 0) throw new AppError("not_found");
    return publicJson(exchange, publicDocument({ origins }, MAX_AGE));
  };
}
