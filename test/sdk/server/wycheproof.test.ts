import { describe, expect, test } from "bun:test";
import nodeCrypto from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Crypto, fromNode, fromWeb } from "../../../src/sdk/server/crypto.ts";
import { parseCompact } from "../../../src/sdk/server/jws.ts";
import { importVerificationKey, type VerificationKey, verifySignature } from "../../../src/sdk/server/keys.ts";

/**
 * Project Wycheproof's vectors against the code that takes tokens from outside, on both cryptographic back ends. They lie
 * beside the repository (SALLYPORT_VECTORS names another place); a machine without them skips, CI fails.
 */
const directory = [process.env.SALLYPORT_VECTORS, "../../../../shared/vectors", "../../../../../shared/vectors"]
  .filter((place) => place !== undefined)
  .map((place) => (place.startsWith(".") ? fileURLToPath(new URL(place, import.meta.url)) : place))
  .find((place) => existsSync(`${place}/wycheproof/json_web_signature_test.json`));

interface Vector {
  tcId: number;
  comment: string;
  jws: string;
  result: "valid" | "invalid";
}
interface Group {
  type: string;
  comment: string;
  public?: object;
  private?: object;
  tests: Vector[];
}
interface RawGroup {
  publicKeyJwk: object;
  tests: { tcId: number; msg: string; sig: string; result: "valid" | "invalid" }[];
}

/**
 * Invalid by the vectors, yet accepted: a key made by a broken smart card is recognised by its modulus, and only its owner,
 * the issuer, could publish one. The appliance makes its keys with OpenSSL.
 */
const ACCEPTED = new Set(["rejectsKeyWithRocaVulnerability"]);

/** What is valid under another algorithm's key has to be refused all the same. */
function isOurs(key: object): boolean {
  const { alg } = key as { alg?: string };
  return alg === "EdDSA" || alg === "ES256" || alg === "RS256";
}

const backends: [string, Crypto][] = [
  ["node:crypto", fromNode(nodeCrypto)],
  ["WebCrypto", fromWeb(globalThis.crypto.subtle)],
];

if (directory === undefined) {
  const report = process.env.CI ? test : test.skip;
  report("Wycheproof's vectors are not on this machine", () => {
    throw new Error("Put them at ../shared/vectors/wycheproof or name their parent in SALLYPORT_VECTORS.");
  });
} else {
  describe.each(backends)("%s", (_name, crypto) => {
    test.each(["json_web_signature", "json_web_key", "json_web_crypto"])("%s", async (file) => {
      const seen = { valid: 0, invalid: 0 };
      for (const group of read<Group>(directory, file)) {
        if (group.comment.startsWith("jwe")) continue;
        const keys = publicKeys(group);
        const usable = await Promise.all(keys.map((key) => importVerificationKey({ kid: "", ...named(key) }, crypto)));
        for (const vector of group.tests) {
          const accepted = await accepts(
            vector.jws,
            usable.filter((key) => key !== null),
          );
          const isValid = vector.result === "valid" && keys.every(isOurs);
          const what = `${file} ${vector.tcId} (${group.comment}, ${vector.comment})`;
          if (ACCEPTED.has(vector.comment)) continue;
          expect(`${what}: ${accepted ? "valid" : "invalid"}`).toBe(`${what}: ${isValid ? "valid" : "invalid"}`);
          seen[isValid ? "valid" : "invalid"]++;
        }
      }
      // The loop must have met both kinds, or it proves nothing.
      expect(seen.valid).toBeGreaterThan(0);
      expect(seen.invalid).toBeGreaterThan(20);
    });

    test("ed25519", async () => {
      let count = 0;
      for (const group of read<RawGroup>(directory, "ed25519")) {
        const jwk = { ...group.publicKeyJwk, kid: "k", alg: "EdDSA" };
        const key = await importVerificationKey(jwk, crypto);
        for (const { tcId, msg, sig, result } of group.tests) {
          const message = Buffer.from(msg, "hex");
          // What is signed in a JWS is ASCII, and the WebCrypto back end takes no more.
          if (message.some((byte) => byte > 0x7f)) continue;
          const signature = new Uint8Array(Buffer.from(sig, "hex"));
          const jws = { alg: "EdDSA", kid: "k", signed: message.toString("latin1"), payload: "", signature };
          expect(`${tcId} ${key && (await verifySignature(jws, key)) ? "valid" : "invalid"}`).toBe(`${tcId} ${result}`);
          count++;
        }
      }
      expect(count).toBeGreaterThan(50);
    });
  });
}

async function accepts(jws: string, keys: VerificationKey[]): Promise<boolean> {
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

function publicKeys(group: Group): object[] {
  const source = group.public ?? group.private ?? {};
  return "keys" in source ? (source.keys as object[]) : [source];
}

function read<T>(place: string, file: string): T[] {
  return (JSON.parse(readFileSync(`${place}/wycheproof/${file}_test.json`, "utf8")) as { testGroups: T[] }).testGroups;
}
