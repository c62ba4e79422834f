import { createPublicKey, type KeyObject } from "node:crypto";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { importHmacKey, isHmacAlgorithm } from "./hmac-keys.ts";
import { type Algorithm, type AsymmetricAlgorithm, JwsError, type VerificationKey } from "./jws.ts";
import { isRocaModulus } from "./roca.ts";
import { verifierOf } from "./signatures.ts";

const ALGORITHMS: readonly string[] = ["EdDSA", "RS256", "ES256", "HS256", "HS384", "HS512"];
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/**
 * Imports a JWK (RFC 7517) that may come from outside, for verifying under one algorithm only. Refused: another `kty`, `crv`,
 * `alg`, `use` or `key_ops` than the algorithm's; a `kid` that is another than the one it goes by; private members in a
 * public key; RSA below 2048 or beyond 8192 bits, with an even or tiny exponent, or with the ROCA flaw (CVE-2017-15361); points
 * off the curve; HMAC secrets shorter than the hash; members that are not canonical base64url.
 * @throws JwsError
 */
export function importVerificationKey(algorithm: Algorithm, jwk: unknown, kid: string): VerificationKey {
  if (!isJsonObject(jwk)) throw new JwsError("The key is not a JSON object.");
  checkPurpose(algorithm, jwk, kid);
  if (isHmacAlgorithm(algorithm)) {
    if (jwk.kty !== "oct") throw new JwsError(`A key for ${algorithm} has kty oct.`);
    return importHmacKey(algorithm, member(jwk, "k"), kid);
  }
  if (PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name))) {
    throw new JwsError("A public key must not carry private members.");
  }
  const key = importPublic(publicMembers(algorithm, jwk));
  return { id: kid, algorithm, verify: verifierOf(algorithm, key) };
}

/**
 * Imports a JWK Set (RFC 7517 section 5) from outside. Keys that are for another use or algorithm, or that are unsound, are
 * passed over, as the RFC asks; sets in which a token could mean two keys (a `kid` twice) or two kinds of key (secrets
 * beside public keys) are refused whole.
 * @throws JwsError
 */
export function importKeySet(jwks: unknown): Map<string, VerificationKey> {
  const keys = isJsonObject(jwks) ? jwks.keys : undefined;
  if (!Array.isArray(keys) || !keys.every(isJsonObject)) throw new JwsError("The key set has no list of keys.");
  if (new Set(keys.map((jwk) => jwk.kty === "oct")).size > 1) {
    throw new JwsError("The key set mixes secrets with public keys.");
  }
  const imported = new Map<string, VerificationKey>();
  const seen = new Set<unknown>();
  for (const jwk of keys) {
    if (seen.has(jwk.kid)) throw new JwsError("The key set uses a kid twice, or has keys without one.");
    seen.add(jwk.kid);
    const algorithm = jwk.alg ?? impliedAlgorithm(jwk);
    if (typeof jwk.kid !== "string" || !isAlgorithm(algorithm)) continue;
    try {
      imported.set(jwk.kid, importVerificationKey(algorithm, jwk, jwk.kid));
    } catch (error) {
      if (!(error instanceof JwsError)) throw error;
    }
  }
  return imported;
}

function isAlgorithm(value: unknown): value is Algorithm {
  return typeof value === "string" && ALGORITHMS.includes(value);
}

/** Where `alg` is absent: OpenID Connect's default for RSA; the only one we take for the others. Never guessed for secrets. */
function impliedAlgorithm(jwk: JsonObject): AsymmetricAlgorithm | undefined {
  if (jwk.kty === "RSA") return "RS256";
  if (jwk.kty === "EC" && jwk.crv === "P-256") return "ES256";
  return jwk.kty === "OKP" && jwk.crv === "Ed25519" ? "EdDSA" : undefined;
}

function checkPurpose(algorithm: Algorithm, jwk: JsonObject, kid: string): void {
  if (jwk.alg !== undefined && jwk.alg !== algorithm) throw new JwsError("The key is for another algorithm.");
  if (jwk.use !== undefined && jwk.use !== "sig") throw new JwsError("The key is not for signatures.");
  if (jwk.kid !== undefined && jwk.kid !== kid) throw new JwsError("The key goes by another kid.");
  const operations: unknown = jwk.key_ops;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) {
    throw new JwsError("The key is not for verifying.");
  }
}

function publicMembers(algorithm: AsymmetricAlgorithm, jwk: JsonObject): JsonWebKey {
  if (algorithm === "EdDSA") {
    requireKind(jwk, "OKP", "Ed25519");
    return { kty: "OKP", crv: "Ed25519", x: member(jwk, "x", 32).toString("base64url") };
  }
  if (algorithm === "ES256") {
    requireKind(jwk, "EC", "P-256");
    const [x, y] = [member(jwk, "x", 32), member(jwk, "y", 32)];
    return { kty: "EC", crv: "P-256", x: x.toString("base64url"), y: y.toString("base64url") };
  }
  requireKind(jwk, "RSA", undefined);
  const [n, e] = [member(jwk, "n"), member(jwk, "e")];
  checkRsa(n, e);
  return { kty: "RSA", n: n.toString("base64url"), e: e.toString("base64url") };
}

function requireKind(jwk: JsonObject, kty: string, crv: string | undefined): void {
  if (jwk.kty !== kty || jwk.crv !== crv) throw new JwsError("The key is of another type or curve.");
}

/** RFC 7518 sections 3.3 and 6.3.1: 2048 bits or more, Base64urlUInt without leading zero octets. */
function checkRsa(n: Buffer, e: Buffer): void {
  const bits = n.length * 8 - Math.clz32(n[0] ?? 0) + 24;
  if (n[0] === 0 || bits < 2048 || bits > 8192) throw new JwsError("The RSA modulus is not of 2048 to 8192 bits.");
  const exponent = e.length <= 4 ? e.readUIntBE(0, e.length) : 0;
  if (e[0] === 0 || exponent < 3 || exponent % 2 === 0) throw new JwsError("The RSA exponent is not sound.");
  if (isRocaModulus(n)) throw new JwsError("The RSA modulus has the ROCA flaw.");
}

function importPublic(jwk: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch (cause) {
    throw new JwsError("The key does not import.", { cause });
  }
}

function member(jwk: JsonObject, name: string, length?: number): Buffer {
  const text = Object.hasOwn(jwk, name) ? jwk[name] : undefined;
  const bytes = typeof text === "string" && text.length <= 2048 ? Buffer.from(text, "base64url") : null;
  if (bytes === null || bytes.length === 0 || bytes.toString("base64url") !== text) {
    throw new JwsError(`The key's member ${name} is not canonical base64url.`);
  }
  if (length !== undefined && bytes.length !== length)
    throw new JwsError(`The key's member ${name} has a wrong length.`);
  return bytes;
}
