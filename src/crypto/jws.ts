import { type JsonObject, parseUniqueJsonObject } from "../core/json.ts";

export type AsymmetricAlgorithm = "EdDSA" | "RS256" | "ES256";
export type HmacAlgorithm = "HS256" | "HS384" | "HS512";
export type Algorithm = AsymmetricAlgorithm | HmacAlgorithm;

/** The token, or the key behind it, is refused. The message is for the log, not for the caller of an endpoint. */
export class JwsError extends Error {
  override readonly name = "JwsError";
}

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

export interface ParsedJws {
  /** Not to be believed before {@link verifyJws}. `jku`, `x5u`, `x5c` and `jwk` are never looked at. */
  readonly header: JsonObject & { readonly alg: string };
  readonly payload: Uint8Array;
  readonly signingInput: Uint8Array;
  readonly signature: Uint8Array;
}

/** Characters of a token; anything longer is refused before it is looked into. */
const MAX_JWS_LENGTH = 8 * 1024;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** base64url without padding of an object's JSON. */
export function encodeJson(value: object): string {
  return Buffer.from(JSON.stringify(value), "utf8").toString("base64url");
}

/** UTF-8 to text. @throws TypeError for bytes that are no UTF-8; a byte order mark is kept, and JSON then refuses it. */
export function decodeUtf8(bytes: Uint8Array): string {
  return strictUtf8.decode(bytes);
}

/** Compact serialisation (RFC 7515 section 7.1). `alg` and `kid` come from the key, whatever the header says. */
export function signJws(header: JsonObject, payload: Uint8Array | object, key: SigningKey): string | Promise<string> {
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
 * Takes a compact JWS apart, verifying nothing. Strict: three non-empty parts (a detached or empty payload is refused), the
 * one canonical base64url of each, a header that is a JSON object without repeated members, `alg` a string. `crit` and
 * `b64` are refused, for no extension is understood here (RFC 7515 section 4.1.11, RFC 7797).
 * @throws JwsError
 */
export function parseJws(token: string, options: { maxLength?: number } = {}): ParsedJws {
  if (token.length > (options.maxLength ?? MAX_JWS_LENGTH)) throw new JwsError("The token is too long.");
  const first = token.indexOf(".");
  const last = token.lastIndexOf(".");
  if (first < 1 || token.indexOf(".", first + 1) !== last || last === first) {
    throw new JwsError("The token has not three parts.");
  }
  const header = parseHeader(decodePart(token.slice(0, first)));
  return {
    header,
    payload: decodePart(token.slice(first + 1, last)),
    signingInput: Buffer.from(token.slice(0, last), "latin1"),
    signature: decodePart(token.slice(last + 1)),
  };
}

/**
 * Whether this key made the signature. The algorithm is the key's own (RFC 8725 section 3.1): a header that names another
 * one is refused before any arithmetic, so a public key is never taken for an HMAC secret.
 */
export function verifyJws(parsed: ParsedJws, key: VerificationKey): boolean {
  return parsed.header.alg === key.algorithm && key.verify(parsed.signingInput, parsed.signature);
}

function parseHeader(bytes: Uint8Array): ParsedJws["header"] {
  let header: JsonObject | null;
  try {
    header = parseUniqueJsonObject(decodeUtf8(bytes));
  } catch {
    header = null;
  }
  if (header === null) throw new JwsError("The header is not a JSON object, or repeats a member.");
  if (Object.hasOwn(header, "crit") || Object.hasOwn(header, "b64")) {
    throw new JwsError("The header asks for an extension (crit, b64).");
  }
  const alg = header.alg;
  if (typeof alg !== "string" || !Object.hasOwn(header, "alg")) throw new JwsError("The header names no algorithm.");
  return Object.assign(header, { alg });
}

/** Node's decoder skips what it does not know; encoding anew shows padding, foreign characters and stray trailing bits. */
function decodePart(part: string): Uint8Array {
  const bytes = Buffer.from(part, "base64url");
  if (part === "" || bytes.toString("base64url") !== part) throw new JwsError("A part is not canonical base64url.");
  return bytes;
}

function encodeBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}
