import { SECOND } from "../core/clock.ts";
import { AppError } from "../core/errors.ts";
import { listApplications } from "../identity/applications/public.ts";
import { isWithinDomain, relyingPartyId } from "../identity/applications/relying-party.ts";
import type { Identity } from "../identity/identity.ts";
import { DEFAULT_TENANT_SLUG } from "../identity/tenants/tenant.ts";
import type { Handler } from "./edge.ts";
import { publicDocument, publicJson } from "./public-document.ts";
import { queryOf } from "./request-target.ts";

/** Seconds for which anybody may keep it. */
const MAX_AGE = 300;
/** Milliseconds; the address is public, and each look is a query. */
const RECENT = 2 * SECOND;

/** The RP IDs of a tenant's enabled applications, with the pages of each. */
interface Known {
  until: number;
  pages: { rpId: string; origins: string[] }[];
}

/**
 * `/.well-known/webauthn` (WebAuthn level 3, section 5.11): the pages on other domains that may use the passkeys of this one.
 * Browsers ask the RP ID's own host for it, so it tells of the RP ID of the tenant's default application; a site that has an
 * RP ID of its own copies or forwards what `?rp_id=` answers. What a browser then lets a page ask for is taken here from
 * the application's own origins only. Pages on the domain itself need no mention, and without others there is no document.
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
    // Browsers relate no plain http (section 5.11.1, step 1).
    const origins = [...new Set(all)].filter((url) => url.startsWith("https:") && !isWithinDomain(url, rpId));
    if (origins.length === 0) throw new AppError("not_found");
    return publicJson(exchange, publicDocument({ origins }, MAX_AGE));
  };
}
