import { describe, expect, test } from "bun:test";
import { importHmacKey, isHmacAlgorithm } from "../../src/crypto/hmac-keys.ts";
import { importVerificationKey } from "../../src/crypto/jwk.ts";
import { verifyJws } from "../../src/crypto/jws.ts";
import { JwsError } from "../../src/jose/error.ts";
import { type AsymmetricAlgorithm, type PublicKey, readKeySet, readPublicKey } from "../../src/jose/jwk.ts";
import { type ParsedJws, parseJws } from "../../src/jose/jws.ts";
import { ed25519Groups, keysOf, tokenGroups } from "../support/wycheproof.ts";
import { type Implementation, implementations } from "./verifiers.ts";

type Group = ReturnType<typeof tokenGroups>[number];
type Jwk = ReturnType<typeof keysOf>[number] & { k?: string; use?: string };

/** Vectors whose verdict we do not share, by file and id: our own verdict, and why. */
const DEVIATIONS: Record<string, { accepted: boolean; why: string }> = {
  "json-web-key#2": { accepted: false, why: "a set of secrets: we take public keys only" },
  "json-web-crypto#48": { accepted: false, why: "a set of secrets: we take public keys only" },
  "json-web-signature#259": { accepted: false, why: "an empty payload: no token that we take has one" },
  "json-web-signature#367": { accepted: true, why: "byte for byte the token of 357, which is valid" },
  "json-web-signature#370": { accepted: true, why: "byte for byte the token of 357, which is valid" },
  "json-web-signature#372": {
    accepted: false,
    why: "a '?' within the header, for which RFC 7515 section 2 has no place",
  },
  "json-web-signature#373": {
    accepted: false,
    why: "a '?' within the payload, for which RFC 7515 section 2 has no place",
  },
};

function isAsymmetric(algorithm: string): algorithm is AsymmetricAlgorithm {
  return algorithm === "EdDSA" || algorithm === "RS256" || algorithm === "ES256";
}

/** Some keys name no algorithm: their type does. */
const algorithmOf = (jwk: Jwk) => jwk.alg ?? (jwk.kty === "EC" ? "ES256" : "RS256");

/** Our verdict: the key fixes the algorithm, and the token decides nothing. */
async function accepts(implementation: Implementation, group: Group, token: unknown): Promise<boolean> {
  if (typeof token !== "string") return false;
  try {
    const parsed = parseJws(token);
    const keys: Jwk[] = keysOf(group);
    const [only] = keys;
    if (!only || keys.length > 1) return await verifies(implementation, keyOfSet(group.key, parsed), parsed);
    const algorithm = algorithmOf(only);
    if (isHmacAlgorithm(algorithm)) return verifyJws(parsed, importHmacKey(algorithm, secretOf(only), "k"));
    if (!isAsymmetric(algorithm)) return false;
    return await verifies(implementation, readPublicKey(algorithm, only, only.kid ?? ""), parsed);
  } catch (error) {
    if (error instanceof JwsError) return false;
    throw error;
  }
}

async function verifies(implementation: Implementation, key: PublicKey | undefined, parsed: ParsedJws) {
  const verify = key && (await implementation.importKey(key));
  return verify ? verify(parsed) : false;
}

function keyOfSet(set: unknown, { header }: ParsedJws): PublicKey | undefined {
  return readKeySet(set).find(({ kid }) => kid === header.kid);
}

function secretOf({ k = "" }: Jwk): Uint8Array {
  return Buffer.from(k, "base64url");
}

function expected(file: string, { key }: Group, id: number, verdict: string): boolean {
  const deviation = DEVIATIONS[`${file}#${id}`];
  if (deviation) return deviation.accepted;
  const isOurs = "keys" in key || key.alg === undefined || isAsymmetric(key.alg) || isHmacAlgorithm(key.alg);
  return verdict === "valid" && isOurs;
}

describe.each(implementations.map((implementation) => [implementation.name, implementation] as const))(
  "Wycheproof, by %s",
  (_name, implementation) => {
    describe.each([
      ["json-web-signature", 401],
      ["json-web-key", 26],
      ["json-web-crypto", 49],
    ] as const)("%s (RFC 7515, RFC 7517, RFC 8725; ASVS 9.1.1, 9.1.2, 9.1.3)", (file, count) => {
      const groups = tokenGroups(file, "jws");
      for (const [index, group] of groups.entries()) {
        test(`group ${index + 1}`, async () => {
          for (const [id, token, verdict] of group.vectors) {
            const accepted = expected(file, group, id, verdict);
            expect({ id, accepted: await accepts(implementation, group, token) }).toEqual({ id, accepted });
          }
        });
      }

      test("the file is complete and has vectors of both verdicts", () => {
        const vectors = groups.flatMap((group) => group.vectors);
        expect(vectors.length).toBe(count);
        expect(new Set(vectors.map(([, , verdict]) => verdict))).toEqual(new Set(["valid", "invalid"]));
      });
    });

    test.each([
      ["json-web-crypto", 34],
      ["json-web-encryption", 139],
    ] as const)("%s: no JWE is taken for a JWS (RFC 7516)", async (file, count) => {
      const groups = tokenGroups(file, "jwe");
      expect(groups.flatMap(({ vectors }) => vectors).length).toBe(count);
      for (const group of groups) {
        for (const [id, token] of group.vectors) {
          expect({ id, accepted: await accepts(implementation, group, token) }).toEqual({ id, accepted: false });
        }
      }
    });

    test("ed25519, as the payload of a JWS where the message is ASCII (RFC 8032, RFC 8037)", async () => {
      let count = 0;
      for (const { key: jwk, vectors } of ed25519Groups()) {
        const verify = await implementation.importKey(readPublicKey("EdDSA", jwk, jwk.kid ?? ""));
        for (const [id, hexMessage, hexSignature, verdict] of vectors) {
          const message = Buffer.from(hexMessage, "hex");
          if (message.some((byte) => byte > 0x7f)) continue;
          const signature = new Uint8Array(Buffer.from(hexSignature, "hex"));
          const parsed = { header: { alg: "EdDSA" }, signed: message.toString("latin1"), payload: "", signature };
          expect({ id, accepted: await verify?.(parsed) }).toEqual({ id, accepted: verdict === "valid" });
          count++;
        }
      }
      expect(count).toBeGreaterThan(50);
    });
  },
);

test("Wycheproof ed25519, over any bytes (RFC 8032, RFC 8037; ASVS 9.1.1)", () => {
  const groups = ed25519Groups();
  expect(groups.flatMap(({ vectors }) => vectors).length).toBe(151);
  for (const { key: jwk, vectors } of groups) {
    const key = importVerificationKey("EdDSA", jwk, jwk.kid ?? "");
    for (const [id, message, signature, verdict] of vectors) {
      const accepted = key.verify(Buffer.from(message, "hex"), Buffer.from(signature, "hex"));
      expect({ id, accepted }).toEqual({ id, accepted: verdict === "valid" });
    }
  }
});

describe("Wycheproof keys that are unsound by themselves (RFC 7518 sections 3.2, 3.3)", () => {
  // Their tokens fail for another reason as well (an empty payload), so this asks for the import alone.
  const unsound: Record<number, string> = {
    7: "RSA with the ROCA flaw",
    8: "RSA of 1024 bits",
    9: "RSA with the exponent 1",
    10: "a short secret for HS256",
    11: "a short secret for HS384",
    12: "a short secret for HS512",
    16: "an empty secret for HS256",
    17: "an empty secret for HS384",
    18: "an empty secret for HS512",
    19: "a curve of another algorithm",
    20: "an unknown algorithm",
    21: "a use that is not signing",
    22: "a point off the curve",
    23: "an unknown curve",
    24: "an unknown key type",
  };
  test.each(Object.entries(unsound))("vector %s: %s", (id) => {
    const group = tokenGroups("json-web-key", "jws").find(({ vectors }) => vectors.some((vector) => vector[0] === +id));
    const jwk: Jwk | undefined = group && keysOf(group)[0];
    if (!group || !jwk) throw new Error(`There is no vector ${id}.`);
    const { alg } = parseJws(String(group.vectors[0]?.[1]).replace("..", ".Zm9v.")).header;
    const load = (): PublicKey | object => {
      if (isHmacAlgorithm(alg)) return importHmacKey(alg, secretOf(jwk), "k");
      if (!isAsymmetric(alg)) throw new Error(`The vector is for ${alg}.`);
      return importVerificationKey(alg, jwk, jwk.kid ?? "");
    };
    expect(load).toThrow(JwsError);
  });

  test.each([25, 26])("vector %d: a secret for encryption makes no key", (id) => {
    const group = tokenGroups("json-web-key", "jws").find(({ vectors }) => vectors.some((vector) => vector[0] === id));
    const jwk = group && keysOf(group)[0];
    expect(jwk?.kty).toBe("oct");
    for (const algorithm of ["EdDSA", "RS256", "ES256"] as const) {
      expect(() => readPublicKey(algorithm, jwk, jwk?.kid ?? "")).toThrow(JwsError);
    }
  });
});
