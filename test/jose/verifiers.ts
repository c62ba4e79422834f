import nodeCrypto from "node:crypto";
import { createLocalJWKSet, jwtVerify } from "jose";
import { importVerificationKey } from "../../src/crypto/jwk.ts";
import { verifyJws } from "../../src/crypto/jws.ts";
import { decodeClaims } from "../../src/jose/claims.ts";
import { JwsError } from "../../src/jose/error.ts";
import { parseUniqueObject } from "../../src/jose/json.ts";
import { type PublicKey, readKeySet } from "../../src/jose/jwk.ts";
import { type ParsedJws, parseJws } from "../../src/jose/jws.ts";
import { type Crypto, fromNode, fromWeb } from "../../src/sdk/server/crypto.ts";
import * as sdk from "../../src/sdk/server/keys.ts";

type Verify = (parsed: ParsedJws) => boolean | Promise<boolean>;

/** Our implementations: one set of rules, three ways to the arithmetic. */
export interface Implementation {
  name: string;
  /** @returns null where the platform refuses the key */
  importKey(key: PublicKey): Promise<Verify | null>;
}

function ofSdk(name: string, crypto: Crypto): Implementation {
  return {
    name,
    importKey: async (key) => {
      const imported = await sdk.importVerificationKey(key, crypto);
      return imported && ((parsed) => sdk.verifySignature(parsed, imported));
    },
  };
}

export const implementations: readonly Implementation[] = [
  {
    name: "the appliance",
    importKey: async (key) => {
      try {
        const imported = importVerificationKey(key.algorithm, key.jwk, key.kid);
        return (parsed) => verifyJws(parsed, imported);
      } catch (error) {
        if (error instanceof JwsError) return null;
        throw error;
      }
    },
  },
  ofSdk("the SDK by node:crypto", fromNode(nodeCrypto)),
  ofSdk("the SDK by WebCrypto", fromWeb(globalThis.crypto.subtle)),
];

/** Whether a token is good under a key set, as a text of JSON: form, key, signature and the types of the claims. */
export async function accepts(implementation: Implementation, set: string, token: string): Promise<boolean> {
  try {
    const parsed = parseJws(token, new Map());
    const key = readKeySet(parseUniqueObject(set)).find(({ kid }) => kid === parsed.header.kid);
    const verify = key && (await implementation.importKey(key));
    if (!verify || !(await verify(parsed))) return false;
    decodeClaims(parsed);
    return true;
  } catch (error) {
    if (error instanceof JwsError) return false;
    throw error;
  }
}

/** The verdict of the `jose` package, at a time of 1000 seconds. */
export async function joseAccepts(set: string, token: string): Promise<boolean> {
  try {
    const algorithms = ["EdDSA", "ES256", "RS256"];
    await jwtVerify(token, createLocalJWKSet(JSON.parse(set)), { algorithms, currentDate: new Date(1_000_000) });
    return true;
  } catch {
    return false;
  }
}
