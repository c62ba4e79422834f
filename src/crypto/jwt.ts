import { type JsonObject, parseJsonObject } from "../core/json.ts";
import { decodeUtf8, encodeJson, JwsError, type ParsedJws, type SigningKey, signEncoded, signJws } from "./jws.ts";

/** Claims of RFC 7519 section 4.1 whose type has been checked; what they mean is the caller's to check. */
export type Claims = JsonObject & {
  readonly exp?: number;
  readonly iat?: number;
  readonly nbf?: number;
};

/**
 * Signs claims. Without `header` the protected header is the key's own, encoded once at import: `typ: "JWT"`, `alg`, `kid`.
 * `header` adds members or replaces `typ`.
 * @returns a promise only for keys that sign off-thread (RS256).
 */
export function encodeJwt(key: SigningKey, claims: object, header?: JsonObject): string | Promise<string> {
  if (header === undefined) return signEncoded(key.jwtHeader, encodeJson(claims), key);
  return signJws({ typ: "JWT", ...header }, claims, key);
}

/**
 * The claims of a JWS: a JSON object in UTF-8, in which `exp`, `iat` and `nbf` are finite numbers where they stand (RFC 7519
 * section 2, NumericDate, in seconds): an `exp` of `"9999999999"` or `null` would compare as anything.
 * @throws JwsError
 */
export function decodeClaims(parsed: ParsedJws): Claims {
  let claims: JsonObject | null;
  try {
    claims = parseJsonObject(decodeUtf8(parsed.payload));
  } catch {
    claims = null;
  }
  if (claims === null || !hasNumericDates(claims)) throw new JwsError("The payload is not a claims set.");
  return claims;
}

function hasNumericDates(claims: JsonObject): claims is Claims {
  return isAbsentOrFinite(claims.exp) && isAbsentOrFinite(claims.iat) && isAbsentOrFinite(claims.nbf);
}

function isAbsentOrFinite(value: unknown): boolean {
  return value === undefined || Number.isFinite(value);
}
