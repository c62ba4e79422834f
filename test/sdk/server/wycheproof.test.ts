import { describe, expect, test } from "bun:test";
import nodeCrypto from "node:crypto";
import { type Crypto, fromNode, fromWeb } from "../../../src/sdk/server/crypto.ts";
import { parseCompact } from "../../../src/sdk/server/jws.ts";
import { importVerificationKey, type VerificationKey, verifySignature } from "../../../src/sdk/server/keys.ts";
import { ed25519Groups, keysOf, tokenGroups } from "../../support/wycheproof.ts";

// Project Wycheproof's vectors against the code that takes tokens from outside, on both cryptographic back ends.

/**
 * Invalid by the vectors, yet accepted: a key made by a broken smart card is recognised by its modulus, and only its owner,
 * the issuer, could publish one. The appliance makes its keys with OpenSSL.
 */
const ACCEPTED = ["json-web-key#7", "json-web-crypto#46"];

/** What is valid under another algorithm's key has to be refused all the same. */
function isOurs(key: object): boolean {
  const { alg } = key as { alg?: string };
  return alg === "EdDSA" || alg === "ES256" || alg === "RS256";
}

const backends: [string, Crypto][] = [
  ["node:crypto", fromNode(nodeCrypto)],
  ["WebCrypto", fromWeb(globalThis.crypto.subtle)],
];

describe.each(backends)("%s", (_name, crypto) => {
  test.each(["json-web-signature", "json-web-key", "json-web-crypto"] as const)("%s", async (file) => {
    const seen = { valid: 0, invalid: 0 };
    for (const group of tokenGroups(file, "jws")) {
      const keys = keysOf(group);
      const imported = await Promise.all(keys.map((key) => importVerificationKey({ kid: "", ...named(key) }, crypto)));
      const usable = imported.filter((key) => key !== null);
      for (const [id, token, verdict] of group.vectors) {
        if (ACCEPTED.includes(`${file}#${id}`)) continue;
        const accepted = verdict === "valid" && keys.every(isOurs);
        expect({ id, accepted: await accepts(token, usable) }).toEqual({ id, accepted });
        seen[accepted ? "valid" : "invalid"]++;
      }
    }
    // The loop must have met both kinds, or it proves nothing.
    expect(seen.valid).toBeGreaterThan(0);
    expect(seen.invalid).toBeGreaterThan(20);
  });

  test("ed25519", async () => {
    let count = 0;
    for (const { key: jwk, vectors } of ed25519Groups()) {
      const key = await importVerificationKey({ ...jwk, kid: "k", alg: "EdDSA" }, crypto);
      for (const [id, hexMessage, hexSignature, verdict] of vectors) {
        const message = Buffer.from(hexMessage, "hex");
        // What is signed in a JWS is ASCII, and the WebCrypto back end takes no more.
        if (message.some((byte) => byte > 0x7f)) continue;
        const signature = new Uint8Array(Buffer.from(hexSignature, "hex"));
        const jws = { alg: "EdDSA", kid: "k", signed: message.toString("latin1"), payload: "", signature };
        expect(`${id} ${key && (await verifySignature(jws, key)) ? "valid" : "invalid"}`).toBe(`${id} ${verdict}`);
        count++;
      }
    }
    expect(count).toBeGreaterThan(50);
  });
});

async function accepts(jws: unknown, keys: VerificationKey[]): Promise<boolean> {
  if (typeof jws !== "string") return false; // A JSON serialisation: verifyToken takes text alone.
  const parsed = parseCompact(jws, new Map());
  if (!parsed) return false;
  const key = parsed.kid === undefined ? keys[0] : keys.find(({ kid }) => kid === parsed.kid);
  return key !== undefined && (await verifySignature(parsed, key));
}

/** Some vectors have neither a kid in the key nor one in the token; ours always have both. */
function named(key: object): object {
  return "kid" in key ? key : { ...key, kid: "unnamed" };
}
