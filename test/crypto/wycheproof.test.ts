import { describe, expect, test } from "bun:test";
import { importKeySet, importVerificationKey } from "../../src/crypto/jwk.ts";
import { type Algorithm, JwsError, parseJws, type VerificationKey, verifyJws } from "../../src/crypto/jws.ts";
import { ed25519Groups, keysOf, tokenGroups } from "../support/wycheproof.ts";

type Group = ReturnType<typeof tokenGroups>[number];

/** Vectors whose verdict we do not share, by file and tcId: what we do instead, and why. */
const DEVIATIONS: Record<string, { accepted: boolean; why: string }> = {
  "json-web-signature#259": {
    accepted: false,
    why: "an empty payload: no token of ours or our customers has one",
  },
  "json-web-signature#367": {
    accepted: true,
    why: "byte for byte the same token as tcId 357, which is valid",
  },
  "json-web-signature#370": {
    accepted: true,
    why: "byte for byte the same token as tcId 357, which is valid",
  },
  "json-web-signature#372": {
    accepted: false,
    why: "a '?' inside the header; RFC 7515 section 2 has no place for it",
  },
  "json-web-signature#373": {
    accepted: false,
    why: "a '?' inside the payload; RFC 7515 section 2 has no place for it",
  },
};

const TAKEN: readonly string[] = ["EdDSA", "RS256", "ES256", "HS256", "HS384", "HS512"];
/** What a caller of ours does: key from what is stored, by the stored algorithm; the token decides nothing. */
function accepts(group: Group, token: unknown): boolean {
  try {
    if (typeof token !== "string") return false;
    const parsed = parseJws(token);
    return verifyJws(parsed, keyFor(group, parsed.header.kid));
  } catch (error) {
    if (error instanceof JwsError) return false;
    throw error;
  }
}

function keyFor({ key }: Group, kid: unknown): VerificationKey {
  if ("keys" in key) {
    const found = importKeySet(key).get(String(kid));
    if (!found) throw new JwsError("No key has that kid.");
    return found;
  }
  const algorithm = key.alg ?? (key.kty === "EC" ? "ES256" : "RS256");
  if (!isTaken(algorithm)) throw new JwsError("Not an algorithm of ours.");
  return importVerificationKey(algorithm, key, key.kid ?? "");
}

function isTaken(algorithm: string): algorithm is Algorithm {
  return TAKEN.includes(algorithm);
}

function expected(file: string, { key }: Group, id: number, verdict: string): boolean {
  const deviation = DEVIATIONS[`${file}#${id}`];
  if (deviation) return deviation.accepted;
  const isOurs = "keys" in key || key.alg === undefined || isTaken(key.alg);
  return verdict === "valid" && isOurs;
}

describe.each([
  ["json-web-signature", 401],
  ["json-web-key", 26],
  ["json-web-crypto", 49],
] as const)("Wycheproof %s (RFC 7515, RFC 7517, RFC 8725; ASVS 9.1.1, 9.1.2, 9.1.3)", (file, count) => {
  const groups = tokenGroups(file, "jws");
  for (const [index, group] of groups.entries()) {
    test(`group ${index + 1}`, () => {
      for (const [id, token, verdict] of group.vectors) {
        const accepted = expected(file, group, id, verdict);
        expect({ id, accepted: accepts(group, token) }).toEqual({ id, accepted });
      }
    });
  }

  test("the file is complete and has vectors of both verdicts", () => {
    const vectors = groups.flatMap((group) => group.vectors);
    expect(vectors.length).toBe(count);
    expect(new Set(vectors.map(([, , verdict]) => verdict))).toEqual(new Set(["valid", "invalid"]));
  });
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
    25: "a secret for AES-GCM",
    26: "a secret for AES key wrap",
  };
  test.each(Object.entries(unsound))("vector %s: %s", (id) => {
    const group = tokenGroups("json-web-key", "jws").find(({ vectors }) => vectors.some((vector) => vector[0] === +id));
    if (!group) throw new Error(`There is no vector ${id}.`);
    const [jwk] = keysOf(group);
    const { alg } = parseJws(String(group.vectors[0]?.[1]).replace("..", ".Zm9v.")).header;
    if (!isTaken(alg)) throw new Error(`The vector is for ${alg}.`);
    expect(() => importVerificationKey(alg, jwk, jwk?.kid ?? "")).toThrow(JwsError);
  });
});

test.each([
  ["json-web-crypto", 34],
  ["json-web-encryption", 139],
] as const)("Wycheproof %s: no JWE is taken for a JWS (RFC 7516)", (file, count) => {
  const groups = tokenGroups(file, "jwe");
  expect(groups.flatMap(({ vectors }) => vectors).length).toBe(count);
  for (const group of groups) {
    for (const [id, token] of group.vectors) {
      expect({ id, accepted: accepts(group, token) }).toEqual({ id, accepted: false });
    }
  }
});

test("Wycheproof ed25519 (RFC 8032, RFC 8037; ASVS 9.1.1)", () => {
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
