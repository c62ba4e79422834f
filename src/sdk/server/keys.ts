import type { AsymmetricAlgorithm, PublicKey } from "../../jose/jwk.ts";
import type { ParsedJws } from "../../jose/jws.ts";
import type { Crypto, Verify } from "./crypto.ts";

/** A published key, ready to verify. There is one object per key while it is published, so keys are compared by identity. */
export interface VerificationKey {
  kid: string;
  /** The key fixes the algorithm; a token's header only has to agree (RFC 8725 section 3.1). */
  algorithm: AsymmetricAlgorithm;
  verify: Verify;
  /** The exact length of this key's signatures, in bytes. */
  signatureLength: number;
}

/** @returns null for a point off its curve, or a number that the platform refuses */
export async function importVerificationKey(key: PublicKey, crypto: Crypto): Promise<VerificationKey | null> {
  const { kid, algorithm, jwk, signatureLength } = key;
  try {
    return { kid, algorithm, verify: await crypto.importKey(algorithm, { ...jwk }), signatureLength };
  } catch {
    return null;
  }
}

/** Verifies the signature with this key and the key's own algorithm. */
export function verifySignature(jws: ParsedJws, key: VerificationKey): boolean | Promise<boolean> {
  if (jws.header.alg !== key.algorithm || jws.signature.length !== key.signatureLength) return false;
  return key.verify(jws.signed, jws.signature);
}
