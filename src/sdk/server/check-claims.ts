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

/** @param seconds the time now, in Unix seconds. */
export function checkTimes(claims: AccessClaims, seconds: number, leeway: number): RefusalReason | null {
  if (seconds >= claims.exp + leeway) return "expired";
  if (claims.iat > seconds + leeway || (claims.nbf !== undefined && claims.nbf > seconds + leeway)) {
    return "not_yet_valid";
  }
  return null;
}

/** Freezes deeply, because the cache serves the same object to later requests. */
export function freeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === "object" && inner !== null) freeze(inner);
  return Object.freeze(value);
}
