import type { Algorithm, Crypto, Verify } from "./crypto.ts";
import type { CompactJws } from "./jws.ts";

/** A published key, ready to verify. One object per key for as long as it is published: compared by identity. */
export interface VerificationKey {
  kid: string;
  /** Fixed by the key; a token's header only has to agree with it (RFC 8725 section 3.1). */
  alg: Algorithm;
  verify: Verify;
  /** Bytes that a signature by this key has, exactly. */
  signatureLength: number;
}

/** What each algorithm's key must look like (RFC 7518 section 6, RFC 8037 section 2). */
const SHAPES: Record<Algorithm, { kty: string; crv?: string; members: readonly string[] }> = {
  EdDSA: { kty: "OKP", crv: "Ed25519", members: ["x"] },
  ES256: { kty: "EC", crv: "P-256", members: ["x", "y"] },
  RS256: { kty: "RSA", members: ["n", "e"] },
};

const MIN_RSA_BYTES = 2_048 / 8;
const MAX_RSA_BYTES = 4_096 / 8;

/**
 * Only the public members are handed on, so that a set which leaks private ones, or carries `x5c`, changes nothing.
 * @returns null for a key that is not for verifying signatures of the three algorithms: it is skipped, not an error.
 */
export async function importVerificationKey(jwk: unknown, crypto: Crypto): Promise<VerificationKey | null> {
  if (typeof jwk !== "object" || jwk === null) return null;
  const { kid, alg, kty, use, key_ops, crv } = jwk as Record<string, unknown>;
  if (typeof kid !== "string" || kid === "" || !isAlgorithm(alg)) return null;
  const shape = SHAPES[alg];
  if (kty !== shape.kty || crv !== shape.crv || (use !== undefined && use !== "sig")) return null;
  if (key_ops !== undefined && !(Array.isArray(key_ops) && key_ops.includes("verify"))) return null;
  const clean: Record<string, string> = shape.crv ? { kty: shape.kty, crv: shape.crv } : { kty: shape.kty };
  for (const member of shape.members) {
    const value = (jwk as Record<string, unknown>)[member];
    if (typeof value !== "string" || !/^[A-Za-z0-9_-]+$/.test(value)) return null;
    clean[member] = value;
  }
  const signatureLength = alg === "RS256" ? Math.floor(((clean.n ?? "").length * 3) / 4) : 64;
  // A public exponent of 1 makes every padded hash its own signature; small and even ones are no better.
  if (alg === "RS256" && (signatureLength < MIN_RSA_BYTES || signatureLength > MAX_RSA_BYTES || clean.e !== "AQAB")) {
    return null;
  }
  try {
    return { kid, alg, verify: await crypto.importKey(alg, clean), signatureLength };
  } catch {
    return null; // Not a point of the curve, or a number the platform refuses.
  }
}

/** Does the signature hold, by this key and its own algorithm? */
export function verifySignature(jws: CompactJws, key: VerificationKey): boolean | Promise<boolean> {
  if (jws.alg !== key.alg || jws.signature.length !== key.signatureLength) return false;
  return key.verify(jws.signed, jws.signature);
}

function isAlgorithm(alg: unknown): alg is Algorithm {
  return alg === "EdDSA" || alg === "ES256" || alg === "RS256";
}
