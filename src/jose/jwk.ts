import { decodeBase64url, isBase64url } from "./base64url.ts";
import { JwsError } from "./error.ts";
import { isObject, type Members } from "./json.ts";
import { isRocaModulus } from "./roca.ts";

export type AsymmetricAlgorithm = "EdDSA" | "RS256" | "ES256";

/** The members that RFC 7517 asks for and no others: `kid`, `use` and `alg` are added where the key is published. */
export type PublicJwk =
  | { kty: "OKP"; crv: "Ed25519"; x: string }
  | { kty: "RSA"; n: string; e: string }
  | { kty: "EC"; crv: "P-256"; x: string; y: string };

/** A sound public key, not imported yet. Its algorithm is fixed (RFC 8725 section 3.1). */
export interface PublicKey {
  readonly kid: string;
  readonly algorithm: AsymmetricAlgorithm;
  readonly jwk: PublicJwk;
  /** Bytes that a signature by this key has, exactly. */
  readonly signatureLength: number;
}

const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const MIN_RSA_BITS = 2_048;
/** The cost of a signature grows with the square of the modulus: a stranger's key must not decide how long we compute. */
const MAX_RSA_BITS = 4_096;
/** Smaller exponents have broken badly padded signatures, and 1 makes every padded hash its own (FIPS 186-5 section 5.1). */
const RSA_EXPONENT = "AQAB";

/**
 * Reads a JWK (RFC 7517) that may come from outside, for verifying under one algorithm only. Refused: another `kty`, `crv`,
 * `alg`, `use` or `key_ops` than the algorithm's; a `kid` that is not the expected one; private members, since a published
 * private key signs for everybody; RSA outside 2048 to 4096 bits, with an exponent other than 65537, or with the ROCA flaw
 * (CVE-2017-15361); members that are not canonical base64url. Whether a point is on its curve shows at import.
 * @throws JwsError
 */
export function readPublicKey(algorithm: AsymmetricAlgorithm, jwk: unknown, kid: string): PublicKey {
  if (!isObject(jwk)) throw new JwsError("The key is not a JSON object.");
  checkPurpose(algorithm, jwk, kid);
  if (PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name))) {
    throw new JwsError("A public key must not carry private members.");
  }
  if (algorithm === "EdDSA") {
    requireKind(jwk, "OKP", "Ed25519");
    return { kid, algorithm, jwk: { kty: "OKP", crv: "Ed25519", x: member(jwk, "x", 32) }, signatureLength: 64 };
  }
  if (algorithm === "ES256") {
    requireKind(jwk, "EC", "P-256");
    const [x, y] = [member(jwk, "x", 32), member(jwk, "y", 32)];
    return { kid, algorithm, jwk: { kty: "EC", crv: "P-256", x, y }, signatureLength: 64 };
  }
  requireKind(jwk, "RSA", undefined);
  const [n, e] = [member(jwk, "n"), member(jwk, "e")];
  return { kid, algorithm, jwk: { kty: "RSA", n, e }, signatureLength: requireSoundRsa(n, e) };
}

/**
 * Reads a JWK Set (RFC 7517 section 5). Keys without a `kid`, for another use or algorithm, or unsound, are passed over, as
 * the RFC asks. A set in which a `kid` stands twice, or which holds secrets beside public keys, is refused whole: the order
 * of its keys must not decide what a token means.
 * @throws JwsError
 */
export function readKeySet(set: unknown): PublicKey[] {
  const keys = isObject(set) ? set.keys : undefined;
  if (!Array.isArray(keys) || !keys.every(isObject)) throw new JwsError("The key set has no list of keys.");
  if (new Set(keys.map(({ kty }) => kty === "oct")).size > 1) {
    throw new JwsError("The key set mixes secrets with public keys.");
  }
  const named = keys.filter(({ kid }) => typeof kid === "string" && kid !== "");
  if (new Set(named.map(({ kid }) => kid)).size < named.length) throw new JwsError("The key set uses a kid twice.");
  return named.flatMap((jwk) => {
    try {
      return isAlgorithm(jwk.alg) ? readPublicKey(jwk.alg, jwk, String(jwk.kid)) : [];
    } catch (error) {
      if (error instanceof JwsError) return [];
      throw error;
    }
  });
}

function isAlgorithm(value: unknown): value is AsymmetricAlgorithm {
  return value === "EdDSA" || value === "RS256" || value === "ES256";
}

function checkPurpose(algorithm: AsymmetricAlgorithm, jwk: Members, kid: string): void {
  if (jwk.alg !== undefined && jwk.alg !== algorithm) throw new JwsError("The key is for another algorithm.");
  if (jwk.use !== undefined && jwk.use !== "sig") throw new JwsError("The key is not for signatures.");
  if (jwk.kid !== undefined && jwk.kid !== kid) throw new JwsError("The key goes by another kid.");
  const operations: unknown = jwk.key_ops;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) {
    throw new JwsError("The key is not for verifying.");
  }
}

function requireKind(jwk: Members, kty: string, crv: string | undefined): void {
  if (jwk.kty !== kty || jwk.crv !== crv) throw new JwsError("The key is of another type or curve.");
}

/** RFC 7518 sections 3.3 and 6.3.1: Base64urlUInt without leading zero octets. @returns bytes of the modulus */
function requireSoundRsa(n: string, e: string): number {
  const modulus = decodeBase64url(n);
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (modulus[0] === 0 || bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) {
    throw new JwsError(`The RSA modulus is not of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits.`);
  }
  if (e !== RSA_EXPONENT) throw new JwsError("The RSA exponent is not 65537.");
  if (isRocaModulus(modulus)) throw new JwsError("The RSA modulus has the ROCA flaw.");
  return modulus.length;
}

function member(jwk: Members, name: string, length?: number): string {
  const text = Object.hasOwn(jwk, name) ? jwk[name] : undefined;
  // As long as the largest modulus may be, and some more: the modulus itself is told that it is too large.
  if (typeof text !== "string" || text.length > 2_048 || !isBase64url(text)) {
    throw new JwsError(`The key's member ${name} is not canonical base64url.`);
  }
  if (length !== undefined && decodeBase64url(text).length !== length) {
    throw new JwsError(`The key's member ${name} has a wrong length.`);
  }
  return text;
}
