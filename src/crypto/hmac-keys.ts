import { createHmac, timingSafeEqual } from "node:crypto";
import { JwsError } from "../jose/error.ts";
import { encodeJson, type HmacAlgorithm, type SigningKey, type VerificationKey } from "./jws.ts";

export interface HmacKey extends SigningKey, VerificationKey {
  readonly algorithm: HmacAlgorithm;
  sign(data: Uint8Array): Uint8Array;
}

const HASHES = {
  HS256: { name: "sha256", bytes: 32 },
  HS384: { name: "sha384", bytes: 48 },
  HS512: { name: "sha512", bytes: 64 },
} as const;

export function isHmacAlgorithm(algorithm: string): algorithm is HmacAlgorithm {
  return Object.hasOwn(HASHES, algorithm);
}

/**
 * Imports a key for both directions. Refuses a secret that is shorter than the hash (RFC 7518 section 3.2), and thereby the
 * empty secret. The customer's `sally_hs_…` is used as the UTF-8 bytes of the whole text.
 * @throws JwsError
 */
export function importHmacKey(algorithm: HmacAlgorithm, secret: Uint8Array, id: string): HmacKey {
  const { name, bytes } = HASHES[algorithm];
  if (secret.length < bytes) throw new JwsError(`A key for ${algorithm} needs ${bytes} bytes or more.`);
  const key = Buffer.from(secret);
  const mac = (data: Uint8Array): Buffer => createHmac(name, key).update(data).digest();
  return {
    id,
    algorithm,
    jwtHeader: encodeJson({ typ: "JWT", alg: algorithm, kid: id }),
    sign: mac,
    verify: (data, signature) => signature.length === bytes && timingSafeEqual(mac(data), signature),
  };
}
