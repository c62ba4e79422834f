import type { Claims } from "../../jose/claims.ts";
import type { AccessClaims, RefusalReason } from "./claims.ts";

/** The claims that a token must have, beside a valid signature. */
export interface Expectations {
  issuer: string;
  audience: string;
  /** null accepts any application of the tenant, so only the audience decides. */
  applicationId: string | null;
  /** Seconds by which clocks may differ. */
  leeway: number;
}

/**
 * Checks everything but signature, expiry and revocation, which are checked on each use.
 * @returns null if all is as expected, else the fault
 */
export function checkClaims(claims: Claims, expected: Expectations): RefusalReason | null {
  const { typ, iss, aud, azp, sub, exp, iat } = claims;
  // First: an ID token, or another token that a published key may sign one day, is not an access token.
  if (typ !== "access") return "type";
  if (iss !== expected.issuer) return "issuer";
  if (!(aud === expected.audience || (Array.isArray(aud) && aud.includes(expected.audience)))) return "audience";
  if (typeof azp !== "string" || (expected.applicationId !== null && azp !== expected.applicationId))
    return "application";
  if (sub === undefined || sub === "" || exp === undefined || iat === undefined) return "missing_claim";
  return null;
}

/**
 * Explains a mismatch to the integrator: it names both values and the option. Only a token of the issuer's own keys gets here,
 * so the values come from the appliance and not from a stranger.
 * @returns undefined for a reason that no option mends
 */
export function mismatchText(reason: RefusalReason, claims: Claims, expected: Expectations): string | undefined {
  switch (reason) {
    case "issuer":
      return (
        `The token's issuer is ${shown(claims.iss)}, but this server expects ${expected.issuer}. Set tenantUrl ` +
        "(SALLYPORT_TENANT_URL) to the token's issuer; if this server reaches it at another address, set the option issuer too."
      );
    case "audience":
      return (
        `The token is for the audience ${shown(claims.aud)}, but this server expects ${expected.audience}. ` +
        "Set the option audience (SALLYPORT_API_AUDIENCE)."
      );
    case "application":
      return (
        `The token is for the application ${shown(claims.azp)}, but this server expects ${expected.applicationId ?? "one"}. ` +
        "Set the option applicationId (SALLYPORT_APP_ID)."
      );
    default:
      return undefined;
  }
}

/** The text also stands in a header, which takes printable ASCII only (RFC 6750 section 3). */
function shown(claim: unknown): string {
  const text = Array.isArray(claim) ? claim.join(" ") : claim === undefined ? "missing" : String(claim);
  return text.replaceAll(/[^!#-[\]-~ ]/g, "?").slice(0, 200);
}

/** Clocks differ by some seconds even between machines that set them by the network. */
const AHEAD = 30;

/**
 * A token of the next seconds comes from a clock that is ahead, and is good. One of a later time is refused, because an entry
 * that revokes tokens issued before a time would miss it.
 * @param seconds the time now, in Unix seconds.
 */
export function checkTimes(claims: AccessClaims, seconds: number, leeway: number): RefusalReason | null {
  if (seconds >= claims.exp + leeway) return "expired";
  const ahead = seconds + Math.max(leeway, AHEAD);
  if (claims.iat > ahead || (claims.nbf !== undefined && claims.nbf > ahead)) return "not_yet_valid";
  return null;
}

/** Freezes deeply, because the cache serves the same object to later requests. */
export function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === "object" && inner !== null) freeze(inner);
  return Object.freeze(value);
}
