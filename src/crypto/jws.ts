import type { AsymmetricAlgorithm } from "../jose/jwk.ts";
import type { ParsedJws } from "../jose/jws.ts";

export type HmacAlgorithm = "HS256" | "HS384" | "HS512";
export type Algorithm = AsymmetricAlgorithm | HmacAlgorithm;

/** A private or HMAC key, imported once. Its algorithm is fixed: what a token says about itself never selects it. */
export interface SigningKey {
  readonly id: string;
  readonly algorithm: Algorithm;
  /** The encoded protected header `{"typ":"JWT","alg":…,"kid":…}`, the same in every JWT that this key signs. */
  readonly jwtHeader: string;
  /** RS256 answers a promise, because it signs off-thread; all others answer at once. */
  sign(data: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

export interface VerificationKey {
  readonly id: string;
  readonly algorithm: Algorithm;
  verify(data: Uint8Array, signature: Uint8Array): boolean;
}

/** base64url without padding of an object's JSON. */
export function encodeJson(value: object): string {
  return Buffer.from(JSON.stringify(value), "utf8").toString("base64url");
}

/** Compact serialisation (RFC 7515 section 7.1). `alg` and `kid` come from the key, whatever the header says. */
export function signJws(header: object, payload: Uint8Array | object, key: SigningKey): string | Promise<string> {
  const encoded = encodeJson({ ...header, alg: key.algorithm, kid: key.id });
  const body = payload instanceof Uint8Array ? Buffer.from(payload).toString("base64url") : encodeJson(payload);
  return signEncoded(encoded, body, key);
}

/** As {@link signJws}, for parts that are encoded already. */
export function signEncoded(header: string, payload: string, key: SigningKey): string | Promise<string> {
  const input = `${header}.${payload}`;
  const signature = key.sign(Buffer.from(input, "latin1"));
  if (signature instanceof Promise) return signature.then((bytes) => `${input}.${encodeBytes(bytes)}`);
  return `${input}.${encodeBytes(signature)}`;
}

/**
 * Whether this key made the signature. The algorithm is the key's own (RFC 8725 section 3.1): a header that names another
 * one is refused before any arithmetic, so a public key is never taken for an HMAC secret.
 */
export function verifyJws(parsed: ParsedJws, key: VerificationKey): boolean {
  return parsed.header.alg === key.algorithm && key.verify(Buffer.from(parsed.signed, "latin1"), parsed.signature);
}

function encodeBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}
