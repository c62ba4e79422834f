import { decodeText } from "./base64url.ts";
import { JwsError } from "./error.ts";
import { type Members, parseUniqueObject } from "./json.ts";
import type { ParsedJws } from "./jws.ts";

/** The registered claims (RFC 7519 section 4.1, `sid` of OpenID Connect), of whose types one can be sure. */
export type Claims = Members & {
  readonly iss?: string;
  readonly sub?: string;
  readonly aud?: string | readonly string[];
  /** Unix seconds, fractions among them. */
  readonly exp?: number;
  readonly nbf?: number;
  readonly iat?: number;
  readonly jti?: string;
  readonly sid?: string;
};

/**
 * The claims of a JWS: a JSON object in UTF-8 without repeated members. Each registered claim has its type where it stands: an
 * `exp` of `"9999999999"` or `null` would compare as anything, and a `jti` in a list would match no revocation.
 * @throws JwsError
 */
export function decodeClaims(parsed: ParsedJws): Claims {
  const text = decodeText(parsed.payload);
  const claims = text === null ? null : parseUniqueObject(text);
  if (claims === null) throw new JwsError("The payload is not a JSON object, or repeats a member.");
  if (!isClaims(claims)) throw new JwsError("A registered claim is of a wrong type.");
  return claims;
}

function isClaims(claims: Members): claims is Claims {
  const { iss, sub, jti, sid, aud, exp, nbf, iat } = claims;
  return (
    isText(iss) &&
    isText(sub) &&
    isText(jti) &&
    isText(sid) &&
    isAudience(aud) &&
    isTime(exp) &&
    isTime(nbf) &&
    isTime(iat)
  );
}

function isText(value: unknown): boolean {
  return value === undefined || typeof value === "string";
}

function isAudience(value: unknown): boolean {
  return isText(value) || (Array.isArray(value) && value.every((each) => typeof each === "string"));
}

function isTime(value: unknown): boolean {
  return value === undefined || (typeof value === "number" && Number.isFinite(value) && value >= 0);
}
