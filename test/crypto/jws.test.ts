import { describe, expect, test } from "bun:test";
import { createHmac, generateKeyPairSync, randomBytes } from "node:crypto";
import { compactVerify, importJWK, SignJWT } from "jose";
import { importHmacKey } from "../../src/crypto/hmac-keys.ts";
import { importVerificationKey } from "../../src/crypto/jwk.ts";
import { signJws, verifyJws } from "../../src/crypto/jws.ts";
import { encodeJwt } from "../../src/crypto/jwt.ts";
import { generateSigningKey, importSigningKey } from "../../src/crypto/signing-keys.ts";
import { decodeClaims } from "../../src/jose/claims.ts";
import { JwsError } from "../../src/jose/error.ts";
import { parseJws } from "../../src/jose/jws.ts";

const ASYMMETRIC = ["EdDSA", "RS256", "ES256"] as const;
const pairs = {
  EdDSA: await generateSigningKey("EdDSA"),
  RS256: await generateSigningKey("RS256"),
  ES256: await generateSigningKey("ES256"),
};
const secret = randomBytes(64);
const hmac = importHmacKey("HS256", secret, "k1");
const encode = (text: string | Uint8Array) => Buffer.from(text).toString("base64url");

/** Returns a token whose MAC is right, whatever the header says. */
function forged(header: string, payload = '{"sub":"x"}'): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

describe("signatures agree with jose (RFC 7515, RFC 8037)", () => {
  test.each(ASYMMETRIC)("%s, both ways", async (algorithm) => {
    const { publicJwk, privatePkcs8 } = pairs[algorithm];
    const token = await encodeJwt(importSigningKey(algorithm, privatePkcs8, "k1"), { sub: "ada" });
    const theirs = await compactVerify(token, await importJWK({ ...publicJwk }, algorithm));
    expect(theirs.protectedHeader).toEqual({ typ: "JWT", alg: algorithm, kid: "k1" });
    expect(JSON.parse(new TextDecoder().decode(theirs.payload))).toEqual({ sub: "ada" });

    const pem = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(privatePkcs8).toString("base64")}\n-----END PRIVATE KEY-----`;
    const { importPKCS8 } = await import("jose");
    const key = await importPKCS8(pem, algorithm);
    const foreign = await new SignJWT({ sub: "eve" }).setProtectedHeader({ alg: algorithm, kid: "k1" }).sign(key);
    const parsed = parseJws(foreign);
    expect(verifyJws(parsed, importVerificationKey(algorithm, publicJwk, "k1"))).toBe(true);
    expect(decodeClaims(parsed).sub).toBe("eve");
  });

  test.each(["HS256", "HS384", "HS512"] as const)("%s, both ways", async (algorithm) => {
    const key = importHmacKey(algorithm, secret, "k1");
    const token = await encodeJwt(key, { sub: "ada" }, { cty: "sallyport-fpa;v=1" });
    expect((await compactVerify(token, secret)).protectedHeader).toMatchObject({
      cty: "sallyport-fpa;v=1",
      typ: "JWT",
    });
    const foreign = await new SignJWT({ sub: "eve" }).setProtectedHeader({ alg: algorithm }).sign(secret);
    expect(verifyJws(parseJws(foreign), key)).toBe(true);
  });

  test.each(ASYMMETRIC)("%s: altered, moved and foreign signatures fail", async (algorithm) => {
    const signer = importSigningKey(algorithm, pairs[algorithm].privatePkcs8, "k1");
    const key = importVerificationKey(algorithm, pairs[algorithm].publicJwk, "k1");
    const parsed = parseJws(await encodeJwt(signer, { sub: "ada" }));
    expect(verifyJws(parsed, key)).toBe(true);
    for (const at of [0, 1, parsed.signature.length - 1]) {
      const signature = parsed.signature.slice();
      signature[at] = (signature[at] ?? 0) ^ 1;
      expect(verifyJws({ ...parsed, signature }, key)).toBe(false);
    }
    for (const length of [0, 1, 63, 65, 257]) {
      expect(verifyJws({ ...parsed, signature: new Uint8Array(length) }, key)).toBe(false);
    }
    const moved = parseJws(await encodeJwt(signer, { sub: "eve" }));
    expect(verifyJws({ ...parsed, signed: moved.signed }, key)).toBe(false);
    const stranger = await generateSigningKey(algorithm);
    expect(verifyJws(parsed, importVerificationKey(algorithm, stranger.publicJwk, "k1"))).toBe(false);
  });
});

describe("the algorithm is the key's own (RFC 8725 section 3.1; ASVS 9.1.2)", () => {
  test.each(["none", "None", "HS384", "hs256", "RS256", "EdDSA", "HS256 ", ""])("alg %p under an HS256 key", (alg) => {
    expect(verifyJws(parseJws(forged(JSON.stringify({ alg }))), hmac)).toBe(false);
  });

  test("the right MAC with the right name passes, which gives the refusals above their meaning", () => {
    expect(verifyJws(parseJws(forged('{"alg":"HS256"}')), hmac)).toBe(true);
  });

  test("a public key's bytes never serve as an HMAC secret", () => {
    const key = importVerificationKey("RS256", pairs.RS256.publicJwk, "k1");
    for (const bytes of [encode(JSON.stringify(pairs.RS256.publicJwk)), JSON.stringify(pairs.RS256.publicJwk)]) {
      const input = `${encode('{"alg":"HS256"}')}.${encode("{}")}`;
      const token = `${input}.${createHmac("sha256", bytes).update(input).digest("base64url")}`;
      expect(verifyJws(parseJws(token), key)).toBe(false);
    }
  });

  test("alg and kid of the signing key replace those in a caller's header", async () => {
    const token = await signJws({ alg: "none", kid: "other", cty: "x" }, new Uint8Array([1]), hmac);
    expect(parseJws(token).header).toEqual({ alg: "HS256", kid: "k1", cty: "x" });
  });

  test("jku, x5u and jwk in a header are ignored (ASVS 9.1.3)", () => {
    const header = {
      alg: "HS256",
      jku: "https://evil.example",
      x5u: "https://evil.example",
      jwk: { kty: "oct", k: "" },
    };
    const parsed = parseJws(forged(JSON.stringify(header)));
    expect(verifyJws(parsed, hmac)).toBe(true);
    expect(verifyJws(parsed, importHmacKey("HS256", randomBytes(32), "k1"))).toBe(false);
  });
});

describe("importing keys (RFC 7517, RFC 7518)", () => {
  const { RS256: rsa, ES256: ec } = pairs;

  test("RSA keys of fewer than 2048 bits are refused, public and private", () => {
    for (const modulusLength of [1024, 2040]) {
      const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength });
      expect(() => importVerificationKey("RS256", publicKey.export({ format: "jwk" }), "k1")).toThrow("2048");
      const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
      expect(() => importSigningKey("RS256", pkcs8, "k1")).toThrow(JwsError);
    }
  });

  test("a private key serves only its own algorithm", () => {
    expect(() => importSigningKey("EdDSA", ec.privatePkcs8, "k1")).toThrow(JwsError);
    expect(() => importSigningKey("ES256", rsa.privatePkcs8, "k1")).toThrow(JwsError);
    expect(() => importSigningKey("EdDSA", randomBytes(48), "k1")).toThrow(JwsError);
  });

  test.each([
    ["HS256", 32],
    ["HS384", 48],
    ["HS512", 64],
  ] as const)("%s needs %d bytes of secret (RFC 7518 section 3.2)", (algorithm, bytes) => {
    expect(() => importHmacKey(algorithm, new Uint8Array(bytes - 1), "k1")).toThrow(JwsError);
    expect(() => importHmacKey(algorithm, new Uint8Array(0), "k1")).toThrow(JwsError);
    expect(importHmacKey(algorithm, new Uint8Array(bytes), "k1").algorithm).toBe(algorithm);
  });
});
