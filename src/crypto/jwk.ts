import { createPublicKey, type KeyObject } from "node:crypto";
import { JwsError } from "../jose/error.ts";
import { type AsymmetricAlgorithm, readPublicKey } from "../jose/jwk.ts";
import type { VerificationKey } from "./jws.ts";
import { verifierOf } from "./signatures.ts";

/** Imports a JWK from any source, by the rules of {@link readPublicKey}. @throws JwsError */
export function importVerificationKey(algorithm: AsymmetricAlgorithm, jwk: unknown, kid: string): VerificationKey {
  const read = readPublicKey(algorithm, jwk, kid);
  return { id: kid, algorithm, verify: verifierOf(algorithm, importPublic(read.jwk)) };
}

function importPublic(jwk: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch (cause) {
    throw new JwsError("The key does not import.", { cause });
  }
}
