import type * as NodeCrypto from "node:crypto";
import type { AsymmetricAlgorithm } from "../../jose/jwk.ts";
import { nodeBuiltin } from "../internal/node-builtin.ts";

/** The platform's part of verification. Synchronous with node:crypto (half the cost of WebCrypto), else with promises. */
export interface Crypto {
  /** SHA-256 of the UTF-8 text, base64url. */
  sha256(text: string): string | Promise<string>;
  /** @throws if the key is malformed, off its curve, or of another kind than `alg` */
  importKey(alg: AsymmetricAlgorithm, jwk: JsonWebKey): Verify | Promise<Verify>;
}

/** Checks signatures by the key that it closes over; `data` is ASCII. Returns false for a malformed signature, never throws. */
export type Verify = (data: string, signature: Uint8Array<ArrayBuffer>) => boolean | Promise<boolean>;

type NodeCryptoModule = typeof NodeCrypto;

/** Loads node:crypto if the platform has it (Node, Bun, Deno, edge runtimes with Node compatibility), else WebCrypto. */
export async function loadCrypto(): Promise<Crypto> {
  const node = await nodeBuiltin<NodeCryptoModule>("node:crypto");
  return node ? fromNode(node) : fromWeb(globalThis.crypto.subtle);
}

/** The synchronous implementation. */
export function fromNode(crypto: NodeCryptoModule): Crypto {
  const oneShot = (crypto as Partial<NodeCryptoModule>).hash;
  return {
    // crypto.hash came with Node 21.7 and saves a third; Node 18 and early Node 20 have only createHash.
    sha256: oneShot
      ? (text) => oneShot("sha256", text, "base64url")
      : (text) => crypto.createHash("sha256").update(text).digest("base64url"),
    importKey(alg, jwk) {
      const key = crypto.createPublicKey({ key: jwk, format: "jwk" });
      const input = alg === "ES256" ? ({ key, dsaEncoding: "ieee-p1363" } as const) : key;
      const hash = alg === "EdDSA" ? null : "sha256";
      return (data, signature) => crypto.verify(hash, Buffer.from(data, "latin1"), input, signature);
    },
  };
}

const WEB: Record<
  AsymmetricAlgorithm,
  { import: RsaHashedImportParams | EcKeyImportParams; verify: AlgorithmIdentifier | EcdsaParams }
> = {
  EdDSA: { import: { name: "Ed25519" } as EcKeyImportParams, verify: { name: "Ed25519" } },
  ES256: { import: { name: "ECDSA", namedCurve: "P-256" }, verify: { name: "ECDSA", hash: "SHA-256" } as EcdsaParams },
  RS256: { import: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, verify: { name: "RSASSA-PKCS1-v1_5" } },
};

/** The portable implementation. */
export function fromWeb(subtle: SubtleCrypto): Crypto {
  const encoder = new TextEncoder();
  return {
    async sha256(text) {
      const digest = new Uint8Array(await subtle.digest("SHA-256", encoder.encode(text)));
      return btoa(String.fromCharCode(...digest))
        .replaceAll("+", "-")
        .replaceAll("/", "_")
        .replace(/=+$/, "");
    },
    async importKey(alg, jwk) {
      const key = await subtle.importKey("jwk", jwk, WEB[alg].import, false, ["verify"]);
      return (data, signature) => subtle.verify(WEB[alg].verify, key, signature, encoder.encode(data));
    },
  };
}
