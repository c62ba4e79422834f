import type { AsymmetricAlgorithm, PublicKey } from "../../jose/jwk.ts";
import type { ParsedJws } from "../../jose/jws.ts";
import type { Crypto, Verify } from "./crypto.ts";

/** A published key, ready to verify. One object per key for as long as it is published: compared by identity. */
export interface VerificationKey {
  kid: string;
  /** Fixed by the key; a token's header only has to agree with it (RFC 8725 section 3.1). */
  algorithm: AsymmetricAlgorithm;
  verify: Verify;
  /** Bytes that a signature by this key has, exactly. */
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

/** Does the signature hold, by this key and its own algorithm? */
export function verifySignature(jws: ParsedJws, key: VerificationKey): boolean | Promise<boolean> {
  if (jws.header.alg !== key.algorithm || jws.signature.length !== key.signatureLength) return false;
  return key.verify(jws.signed, jws.signature);
}
