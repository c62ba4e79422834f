import type { AsymmetricAlgorithm } from "../jose/jwk.ts";
import type { ParsedJws } from "../jose/jws.ts";

export type HmacAlgorithm = "HS256" | "HS384" | "HS512";
export type Algorithm = AsymmetricAlgorithm | HmacAlgorithm;

/** A private or HMAC key, imported once. Its algorithm is fixed, so a token's header can never select another. */
export interface SigningKey {
  readonly id: string;
  readonly algorithm: Algorithm;
  /** The encoded protected header `{"typ":"JWT","alg":…,"kid":…}`, equal in every JWT that this key signs. */
  readonly jwtHeader: string;
  /** Returns a promise for RS256, which signs off-thread. All other algorithms return the signature at once. */
  sign(data: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

export interface VerificationKey {
  readonly id: string;
  readonly algorithm: Algorithm;
  verify(data: Uint8Array, signature: Uint8Array): boolean;
}

/** Returns an object's JSON in base64url without padding. */
export function encodeJson(value: object): string {
  return Buffer.from(JSON.stringify(value), "utf8").toString("base64url");
}

/**
 * Signs in compact serialisation (RFC 7515 section 7.1). `alg` and `kid` come from the key, and the header cannot change
 * them.
 */
export function signJws(header: object, payload: Uint8Array | object, key: SigningKey): string | Promise<string> {
  const encoded = encodeJson({ ...header, alg: key.algorithm, kid: key.id });
  const body = payload instanceof Uint8Array ? Buffer.from(payload).toString("base64url") : encodeJson(payload);
  return signEncoded(encoded, body, key);
}

/** Does the same as {@link signJws} for encoded parts. */
export function signEncoded(header: string, payload: string, key: SigningKey): string | Promise<string> {
  const input = `${header}.${payload}`;
  const signature = key.sign(Buffer.from(input, "latin1"));
  if (signature instanceof Promise) return signature.then((bytes) => `${input}.${encodeBytes(bytes)}`);
  return `${input}.${encodeBytes(signature)}`;
}

/**
 * Tells whether this key made the signature. The algorithm is the key's own (RFC 8725 section 3.1). A header with another
 * algorithm is refused before any arithmetic, so that a public key never serves as an HMAC secret.
 */
export function verifyJws(parsed: ParsedJws, key: VerificationKey): boolean {
  return parsed.header.alg === key.algorithm && key.verify(Buffer.from(parsed.signed, "latin1"), parsed.signature);
}

function encodeBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}
