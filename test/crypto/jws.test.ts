import { describe, expect, test } from "bun:test";
import { createHmac, generateKeyPairSync, randomBytes } from "node:crypto";
import { compactVerify, importJWK, SignJWT } from "jose";
import { importHmacKey } from "../../src/crypto/hmac-keys.ts";
import { importKeySet, importVerificationKey } from "../../src/crypto/jwk.ts";
import { JwsError, parseJws, signJws, verifyJws } from "../../src/crypto/jws.ts";
import { decodeClaims, encodeJwt } from "../../src/crypto/jwt.ts";
import { generateSigningKey, importSigningKey } from "../../src/crypto/signing-keys.ts";

const ASYMMETRIC = ["EdDSA", "RS256", "ES256"] as const;
const pairs = {
  EdDSA: await generateSigningKey("EdDSA"),
  RS256: await generateSigningKey("RS256"),
  ES256: await generateSigningKey("ES256"),
};
const secret = randomBytes(64);
const hmac = importHmacKey("HS256", secret, "k1");
const encode = (text: string | Uint8Array) => Buffer.from(text).toString("base64url");

/** A token whose MAC is right whatever the header says. */
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
    expect(verifyJws({ ...parsed, signingInput: moved.signingInput }, key)).toBe(false);
    const stranger = await generateSigningKey(algorithm);
    expect(verifyJws(parsed, importVerificationKey(algorithm, stranger.publicJwk, "k1"))).toBe(false);
  });
});

describe("the algorithm is the key's (RFC 8725 section 3.1; ASVS 9.1.2)", () => {
  test.each(["none", "None", "HS384", "hs256", "RS256", "EdDSA", "HS256 ", ""])("alg %p under an HS256 key", (alg) => {
    expect(verifyJws(parseJws(forged(JSON.stringify({ alg }))), hmac)).toBe(false);
  });

  test("the right MAC under the right name passes, so the refusals above mean something", () => {
    expect(verifyJws(parseJws(forged('{"alg":"HS256"}')), hmac)).toBe(true);
  });

  test("a public key's bytes are no HMAC secret", () => {
    const key = importVerificationKey("RS256", pairs.RS256.publicJwk, "k1");
    for (const bytes of [encode(JSON.stringify(pairs.RS256.publicJwk)), JSON.stringify(pairs.RS256.publicJwk)]) {
      const input = `${encode('{"alg":"HS256"}')}.${encode("{}")}`;
      const token = `${input}.${createHmac("sha256", bytes).update(input).digest("base64url")}`;
      expect(verifyJws(parseJws(token), key)).toBe(false);
    }
  });

  test("alg and kid of the signing key replace what a caller puts into the header", async () => {
    const token = await signJws({ alg: "none", kid: "other", typ: "x" }, new Uint8Array([1]), hmac);
    expect(parseJws(token).header).toEqual({ alg: "HS256", kid: "k1", typ: "x" });
  });

  test("jku, x5u and jwk in a header lead nowhere (ASVS 9.1.3)", () => {
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

describe("parseJws refuses (RFC 7515 sections 4, 5.2, 7.1)", () => {
  const good = forged('{"alg":"HS256"}');
  const [head = "", body = "", mac = ""] = good.split(".");
  test.each([
    ["nothing", ""],
    ["one part", head],
    ["two parts", `${head}.${body}`],
    ["four parts", `${good}.${mac}`],
    ["five parts, a JWE", `${good}.${mac}.${mac}`],
    ["an empty header", `.${body}.${mac}`],
    ["an empty payload", `${head}..${mac}`],
    ["an empty signature", `${head}.${body}.`],
    ["padding", `${head}.${body}.${mac}=`],
    ["the alphabet of base64", `${head}.${body}.${"+".repeat(43)}`],
    ["white space around", ` ${good}`],
    ["a newline at the end", `${good}\n`],
    ["white space inside", `${head}.${body}. ${mac}`],
    ["a non-ASCII character", `${head}.${body}é.${mac}`],
    ["stray trailing bits", `${head}.${body}.${mac.slice(0, -1)}B`],
    ["a JSON serialisation", JSON.stringify({ protected: head, payload: body, signature: mac })],
    ["a header that is an array", forged('["HS256"]')],
    ["a header that is no JSON", forged("alg")],
    ["a header with a byte order mark", forged('\uFEFF{"alg":"HS256"}')],
    ["a header without alg", forged('{"typ":"JWT"}')],
    ["an alg from the prototype", forged('{"__proto__":{"alg":"HS256"}}')],
    ["an alg that is no string", forged('{"alg":["HS256"]}')],
    ["alg twice", forged('{"alg":"none","alg":"HS256"}')],
    ["alg twice, once escaped", forged('{"alg":"none","\\u0061lg":"HS256"}')],
    ["crit", forged('{"alg":"HS256","crit":["exp"],"exp":1}')],
    ["an empty crit", forged('{"alg":"HS256","crit":[]}')],
    ["b64", forged('{"alg":"HS256","b64":false}')],
  ])("%s", (_name, token) => {
    expect(() => parseJws(token)).toThrow(JwsError);
  });

  test("a header that is no UTF-8", () => {
    const header = Buffer.concat([Buffer.from('{"alg":"HS256","x":"'), Buffer.from([0xc0, 0x80]), Buffer.from('"}')]);
    expect(() => parseJws(`${encode(header)}.${body}.${mac}`)).toThrow(JwsError);
  });

  test("what is longer than the cap, before it is parsed", () => {
    const big = forged('{"alg":"HS256"}', JSON.stringify({ x: "y".repeat(9000) }));
    expect(() => parseJws(big)).toThrow("too long");
    expect(parseJws(big, { maxLength: 20_000 }).header.alg).toBe("HS256");
    expect(() => parseJws(good, { maxLength: good.length - 1 })).toThrow("too long");
  });
});

describe("decodeClaims (RFC 7519 section 4.1; ASVS 9.2.1)", () => {
  const claims = (payload: string) => decodeClaims(parseJws(forged('{"alg":"HS256"}', payload)));
  test.each([
    "[]",
    "null",
    "1",
    '"x"',
    "{",
    '{"exp":"1"}',
    '{"exp":null}',
    '{"iat":true}',
    '{"nbf":[1]}',
    '{"exp":1e999}',
  ])("refuses %s", (payload) => {
    expect(() => claims(payload)).toThrow(JwsError);
  });

  test("takes numbers, fractions too", () => {
    expect(claims('{"exp":1.5,"iat":0,"nbf":-1,"sub":"x"}')).toEqual({ exp: 1.5, iat: 0, nbf: -1, sub: "x" });
  });
});

describe("importing keys (RFC 7517, RFC 7518)", () => {
  const { RS256: rsa, ES256: ec, EdDSA: ed } = pairs;
  test.each([
    ["another alg", "EdDSA", { ...ed.publicJwk, alg: "ES256" }],
    ["another use", "EdDSA", { ...ed.publicJwk, use: "enc" }],
    ["other operations", "EdDSA", { ...ed.publicJwk, key_ops: ["sign"] }],
    ["operations that are no list", "EdDSA", { ...ed.publicJwk, key_ops: "verify" }],
    ["another kid", "EdDSA", { ...ed.publicJwk, kid: "k2" }],
    ["a private member", "EdDSA", { ...ed.publicJwk, d: "AAAA" }],
    ["another curve", "EdDSA", { ...ed.publicJwk, crv: "X25519" }],
    ["a short point", "EdDSA", { ...ed.publicJwk, x: "AAAA" }],
    ["an EC key for EdDSA", "EdDSA", ec.publicJwk],
    ["an Ed25519 key for ES256", "ES256", ed.publicJwk],
    ["a point off the curve", "ES256", { ...ec.publicJwk, y: encode(randomBytes(32)) }],
    ["an exponent of one", "RS256", { ...rsa.publicJwk, e: "AQ" }],
    ["an even exponent", "RS256", { ...rsa.publicJwk, e: "AQAA" }],
    ["a huge exponent", "RS256", { ...rsa.publicJwk, e: encode(randomBytes(32)) }],
    ["a padded modulus", "RS256", { ...rsa.publicJwk, n: encode(Buffer.alloc(300, 1).fill(0, 0, 1)) }],
    ["no modulus", "RS256", { kty: "RSA", e: "AQAB" }],
    ["a secret for RS256", "RS256", { kty: "oct", k: encode(secret) }],
    ["an RSA key for HS256", "HS256", rsa.publicJwk],
    ["a short secret", "HS256", { kty: "oct", k: encode(randomBytes(31)) }],
    ["no object", "EdDSA", "key"],
    ["null", "EdDSA", null],
  ] as const)("refuses %s", (_name, algorithm, jwk) => {
    expect(() => importVerificationKey(algorithm, jwk, "k1")).toThrow(JwsError);
  });

  test("RSA of 2047 bits and less is refused, both halves", () => {
    for (const modulusLength of [1024, 2040]) {
      const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength });
      expect(() => importVerificationKey("RS256", publicKey.export({ format: "jwk" }), "k1")).toThrow("2048");
      const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
      expect(() => importSigningKey("RS256", pkcs8, "k1")).toThrow(JwsError);
    }
  });

  test("RSA beyond 8192 bits is refused: a stranger's key must not cost seconds at each signature", () => {
    const modulus = (bits: number) => {
      const bytes = randomBytes(Math.ceil(bits / 8));
      bytes[0] = 1 << ((bits - 1) % 8);
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 1;
      return encode(bytes);
    };
    for (const bits of [8193, 8200, 12_288]) {
      const jwk = { kty: "RSA", e: "AQAB", n: modulus(bits) };
      expect(() => importVerificationKey("RS256", jwk, "k1")).toThrow("8192");
    }
    expect(importVerificationKey("RS256", { kty: "RSA", e: "AQAB", n: modulus(8192) }, "k1").algorithm).toBe("RS256");
  });

  test("a private key serves its own algorithm only", () => {
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

  test("a key set passes over what it cannot use and imports the rest", () => {
    const set = importKeySet({
      keys: [
        { ...ed.publicJwk, kid: "a" },
        { ...rsa.publicJwk, kid: "b", use: "sig" },
        { ...rsa.publicJwk, kid: "c", use: "enc" },
        { ...ec.publicJwk, kid: "d", alg: "ECDH-ES" },
        { kty: "new", kid: "e" },
      ],
    });
    expect([...set].map(([kid, key]) => [kid, key.algorithm])).toEqual([
      ["a", "EdDSA"],
      ["b", "RS256"],
    ]);
  });

  test.each([
    [
      "a kid twice",
      {
        keys: [
          { ...ed.publicJwk, kid: "a" },
          { ...ec.publicJwk, kid: "a" },
        ],
      },
    ],
    [
      "secrets beside public keys",
      {
        keys: [
          { ...ed.publicJwk, kid: "a" },
          { kty: "oct", k: encode(secret), kid: "b" },
        ],
      },
    ],
    ["no list", { keys: {} }],
    ["no object in the list", { keys: [null] }],
    ["no set", []],
  ])("a key set with %s is refused whole", (_name, set) => {
    expect(() => importKeySet(set)).toThrow(JwsError);
  });
});
