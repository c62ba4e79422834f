import { type KeyObject, sign, verify } from "node:crypto";
import type { AsymmetricAlgorithm } from "../jose/jwk.ts";
import type { SigningKey, VerificationKey } from "./jws.ts";

/**
 * Returns a signer. Ed25519 and ES256 sign on the thread (microseconds); RSA takes half a millisecond and signs off-thread.
 */
export function signerOf(algorithm: AsymmetricAlgorithm, key: KeyObject): SigningKey["sign"] {
  switch (algorithm) {
    case "EdDSA":
      return (data) => sign(null, data, key);
    case "ES256": {
      const options = { key, dsaEncoding: "ieee-p1363" } as const;
      return (data) => sign("sha256", data, options);
    }
    case "RS256":
      return (data) =>
        new Promise((resolve, reject) => {
          sign("sha256", data, key, (error, signature) => (error ? reject(error) : resolve(signature)));
        });
  }
}

/** Returns a verifier, which works on the thread for all three algorithms. */
export function verifierOf(algorithm: AsymmetricAlgorithm, key: KeyObject): VerificationKey["verify"] {
  switch (algorithm) {
    case "EdDSA":
      return (data, signature) => verify(null, data, key, signature);
    case "ES256": {
      // JWS has r and s side by side (RFC 7518 section 3.4), never DER.
      const options = { key, dsaEncoding: "ieee-p1363" } as const;
      return (data, signature) => verify("sha256", data, options, signature);
    }
    case "RS256":
      return (data, signature) => verify("sha256", data, key, signature);
  }
}
