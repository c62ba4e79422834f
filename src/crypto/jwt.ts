import { encodeJson, type SigningKey, signEncoded, signJws } from "./jws.ts";

/**
 * Signs claims. Without `header` the protected header is the key's own, encoded once at import: `typ: "JWT"`, `alg`, `kid`.
 * `header` adds members or replaces `typ`.
 * @returns a promise only for keys that sign off-thread (RS256).
 */
export function encodeJwt(key: SigningKey, claims: object, header?: object): string | Promise<string> {
  if (header === undefined) return signEncoded(key.jwtHeader, encodeJson(claims), key);
  return signJws({ typ: "JWT", ...header }, claims, key);
}
