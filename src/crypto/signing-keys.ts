import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { JwsError } from "../jose/error.ts";
import type { AsymmetricAlgorithm, PublicJwk } from "../jose/jwk.ts";
import { encodeJson, type SigningKey } from "./jws.ts";
import { signerOf } from "./signatures.ts";

export interface GeneratedKey {
  publicJwk: PublicJwk;
  /** DER of a PKCS #8 private key (RFC 5958), unencrypted: seal it. */
  privatePkcs8: Uint8Array;
}

/** Generates a key pair off-thread. RSA has 2048 bits and the exponent 65537. */
export async function generateSigningKey(algorithm: AsymmetricAlgorithm): Promise<GeneratedKey> {
  const privateKey = await generatePrivateKey(algorithm);
  return { publicJwk: publicJwkOf(privateKey), privatePkcs8: privateKey.export({ type: "pkcs8", format: "der" }) };
}

/** @throws JwsError unless the bytes are a key for this algorithm. RSA needs 2048 bits or more. */
export function importSigningKey(algorithm: AsymmetricAlgorithm, pkcs8: Uint8Array, kid: string): SigningKey {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  } catch (cause) {
    throw new JwsError("The private key does not import.", { cause });
  }
  if (!fits(algorithm, key)) throw new JwsError(`The private key does not fit ${algorithm}.`);
  return {
    id: kid,
    algorithm,
    jwtHeader: encodeJson({ typ: "JWT", alg: algorithm, kid }),
    sign: signerOf(algorithm, key),
  };
}

function fits(algorithm: AsymmetricAlgorithm, key: KeyObject): boolean {
  const details = key.asymmetricKeyDetails;
  switch (algorithm) {
    case "EdDSA":
      return key.asymmetricKeyType === "ed25519";
    case "ES256":
      return key.asymmetricKeyType === "ec" && details?.namedCurve === "prime256v1";
    case "RS256":
      return key.asymmetricKeyType === "rsa" && (details?.modulusLength ?? 0) >= 2048;
  }
}

function generatePrivateKey(algorithm: AsymmetricAlgorithm): Promise<KeyObject> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, _public: KeyObject, key: KeyObject) => (error ? reject(error) : resolve(key));
    if (algorithm === "EdDSA") generateKeyPair("ed25519", {}, done);
    else if (algorithm === "ES256") generateKeyPair("ec", { namedCurve: "P-256" }, done);
    else generateKeyPair("rsa", { modulusLength: 2048, publicExponent: 65537 }, done);
  });
}

function publicJwkOf(privateKey: KeyObject): PublicJwk {
  const jwk: JsonWebKey = createPublicKey(privateKey).export({ format: "jwk" });
  const { x, y, n, e } = jwk;
  if (jwk.kty === "OKP" && x) return { kty: "OKP", crv: "Ed25519", x };
  if (jwk.kty === "EC" && x && y) return { kty: "EC", crv: "P-256", x, y };
  if (jwk.kty === "RSA" && n && e) return { kty: "RSA", n, e };
  throw new JwsError("The generated key does not export as a JWK.");
}
