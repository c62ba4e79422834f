import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { importKeySet, importVerificationKey } from "../../src/crypto/jwk.ts";
import { type Algorithm, JwsError, parseJws, type VerificationKey, verifyJws } from "../../src/crypto/jws.ts";

interface Vector {
  tcId: number;
  comment: string;
  result: "valid" | "invalid" | "acceptable";
  jws?: unknown;
  jwe?: unknown;
  msg?: string;
  sig?: string;
}

type Jwk = { alg?: string; kid?: string; kty?: string; keys?: Jwk[] };

interface Group {
  comment?: string;
  private?: Jwk;
  public?: Jwk;
  publicKeyJwk?: Jwk;
  tests: Vector[];
}

/** Vectors whose verdict we do not share, by file and tcId: what we do instead, and why. */
const DEVIATIONS: Record<string, { accepted: boolean; why: string }> = {
  "json_web_signature_test.json#259": {
    accepted: false,
    why: "an empty payload: no token of ours or our customers has one",
  },
  "json_web_signature_test.json#367": {
    accepted: true,
    why: "byte for byte the same token as tcId 357, which is valid",
  },
  "json_web_signature_test.json#370": {
    accepted: true,
    why: "byte for byte the same token as tcId 357, which is valid",
  },
  "json_web_signature_test.json#372": {
    accepted: false,
    why: "a '?' inside the header; RFC 7515 section 2 has no place for it",
  },
  "json_web_signature_test.json#373": {
    accepted: false,
    why: "a '?' inside the payload; RFC 7515 section 2 has no place for it",
  },
};

const TAKEN: readonly string[] = ["EdDSA", "RS256", "ES256", "HS256", "HS384", "HS512"];
const folder = resolve(process.env.SALLYPORT_VECTORS ?? join(import.meta.dir, "../../../shared/vectors"), "wycheproof");
const present = existsSync(folder);

function groupsOf(file: string): Group[] {
  return present ? JSON.parse(readFileSync(join(folder, file), "utf8")).testGroups : [];
}

/** What a caller of ours does: key from what is stored, by the stored algorithm; the token decides nothing. */
function accepts(group: Group, token: unknown): boolean {
  const published = group.public ?? group.private;
  try {
    if (typeof token !== "string") return false;
    const parsed = parseJws(token);
    return verifyJws(parsed, keyFor(published, parsed.header.kid));
  } catch (error) {
    if (error instanceof JwsError) return false;
    throw error;
  }
}

function keyFor(published: Jwk | undefined, kid: unknown): VerificationKey {
  if (published?.keys) {
    const key = importKeySet(published).get(String(kid));
    if (!key) throw new JwsError("No key has that kid.");
    return key;
  }
  const algorithm = published?.alg ?? (published?.kty === "EC" ? "ES256" : "RS256");
  if (!isTaken(algorithm)) throw new JwsError("Not an algorithm of ours.");
  return importVerificationKey(algorithm, published, published?.kid ?? "");
}

function isTaken(algorithm: string): algorithm is Algorithm {
  return TAKEN.includes(algorithm);
}

function expected(file: string, group: Group, vector: Vector): boolean {
  const deviation = DEVIATIONS[`${file}#${vector.tcId}`];
  if (deviation) return deviation.accepted;
  const algorithm = group.public?.alg ?? group.private?.alg;
  const ofOurs = algorithm === undefined || isTaken(algorithm);
  return vector.result === "valid" && ofOurs;
}

test.skipIf(!present && !process.env.CI)("the vectors are here: absent they are skipped, but never in CI", () => {
  expect(present).toBe(true);
});

for (const file of ["json_web_signature_test.json", "json_web_key_test.json", "json_web_crypto_test.json"]) {
  describe.skipIf(!present)(`Wycheproof ${file} (RFC 7515, RFC 7517, RFC 8725; ASVS 9.1.1, 9.1.2, 9.1.3)`, () => {
    const groups = groupsOf(file).filter((group) => group.tests.some((vector) => "jws" in vector));
    for (const [index, group] of groups.entries()) {
      test(`group ${index + 1}: ${group.comment}`, () => {
        for (const vector of group.tests) {
          const verdict = { tcId: vector.tcId, comment: vector.comment, accepted: accepts(group, vector.jws) };
          expect(verdict).toEqual({ ...verdict, accepted: expected(file, group, vector) });
        }
      });
    }
    test("no vector is merely acceptable, and some of each verdict have run", () => {
      const results = groups.flatMap((group) => group.tests.map((vector) => vector.result));
      expect(new Set(results)).toEqual(new Set(["valid", "invalid"]));
    });
  });
}

describe.skipIf(!present)("Wycheproof keys that are unsound by themselves (RFC 7518 sections 3.2, 3.3)", () => {
  // Their tokens fail for another reason as well (an empty payload), so the import alone is asked.
  for (const group of groupsOf("json_web_key_test.json")) {
    const jwk = (group.public ?? group.private)?.keys?.[0];
    const unsound = /^(keysize|exponent|jws_rsa_roca|invalid_|wrong_)/.test(group.comment ?? "") || isShort(group);
    if (!unsound) continue;
    test(`${group.comment}: ${group.tests[0]?.comment}`, () => {
      const { alg } = parseJws(String(group.tests[0]?.jws).replace("..", ".Zm9v.")).header;
      if (!isTaken(alg)) throw new Error(`The vector is for ${alg}`);
      expect(() => importVerificationKey(alg, jwk, jwk?.kid ?? "")).toThrow(JwsError);
    });
  }

  function isShort(group: Group): boolean {
    return group.tests.some((vector) => vector.comment === "key_too_short" || vector.comment === "empty_key");
  }
});

describe.skipIf(!present)("Wycheproof JWE vectors are no JWS: not one is taken (RFC 7516)", () => {
  for (const file of ["json_web_crypto_test.json", "json_web_encryption_test.json"]) {
    test(file, () => {
      const groups = groupsOf(file).filter((group) => group.tests.some((vector) => "jwe" in vector));
      expect(groups.length).toBeGreaterThan(0);
      for (const group of groups) {
        for (const vector of group.tests) {
          expect({ tcId: vector.tcId, accepted: accepts(group, vector.jwe) }).toEqual({
            tcId: vector.tcId,
            accepted: false,
          });
        }
      }
    });
  }
});

describe.skipIf(!present)("Wycheproof Ed25519 (RFC 8032, RFC 8037; ASVS 9.1.1)", () => {
  for (const [index, group] of groupsOf("ed25519_test.json").entries()) {
    test(`group ${index + 1}`, () => {
      const key = importVerificationKey("EdDSA", group.publicKeyJwk, group.publicKeyJwk?.kid ?? "");
      for (const { tcId, comment, msg, sig, result } of group.tests) {
        const accepted = key.verify(Buffer.from(msg ?? "", "hex"), Buffer.from(sig ?? "", "hex"));
        expect({ tcId, comment, accepted }).toEqual({ tcId, comment, accepted: result === "valid" });
      }
    });
  }
});
