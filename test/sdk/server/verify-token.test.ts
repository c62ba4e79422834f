import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { SignJWT } from "jose";
import { fromWeb } from "../../../src/sdk/server/crypto.ts";
import { SallyportServer } from "../../../src/sdk/server/index.ts";
import { Verifier } from "../../../src/sdk/server/verifier.ts";
import { APPLICATION, newKey, TestIssuer, type TestKey } from "../support/issuer.ts";
import { outcome } from "../support/refusal.ts";

const issuer = new TestIssuer();
const keys = {} as Record<"EdDSA" | "ES256" | "RS256", TestKey>;
let server: SallyportServer;

beforeAll(async () => {
  for (const alg of ["EdDSA", "ES256", "RS256"] as const) keys[alg] = await newKey(alg);
  issuer.keys = Object.values(keys);
  server = new SallyportServer({ baseUrl: issuer.url, applicationId: APPLICATION, now: issuer.now });
});
afterAll(async () => {
  server.close();
  await issuer[Symbol.asyncDispose]();
});

const verify = (value: string | null | undefined) => outcome(server.verifyToken(value));
const base64url = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

describe("accepted tokens", () => {
  test.each(["EdDSA", "ES256", "RS256"] as const)("%s, with and without the scheme, again and again", async (alg) => {
    const token = await issuer.token(keys[alg], { org: "018f3c4a-0000-7000-8000-000000000003", org_role: "admin" });
    for (const value of [
      token,
      `Bearer ${token}`,
      `bearer  ${token}`,
      `Bearer\t${token}`,
      `Bearer ${token}\n`,
      ` Bearer  ${token} \r\n`,
      `${token}\n`,

      token,
    ]) {
      const claims = await server.verifyToken(value);
      expect(claims).toMatchObject({ typ: "access", azp: APPLICATION, aal: "aal1", org_role: "admin" });
    }
  });

  test.each(["EdDSA", "ES256", "RS256"] as const)("%s by WebCrypto, and its revocation", async (alg) => {
    await using own = new TestIssuer();
    own.keys = [keys[alg]];
    const verifier = new Verifier({
      source: "poll",
      tenantUrl: own.url,
      issuer: own.url,
      audience: `${own.url}/api/${APPLICATION}`,
      applicationId: APPLICATION,
      leeway: 5,
      onStale: "allow",
      fetch: (url, init) => fetch(url, init),
      now: own.now,
      cacheSize: 10,
      crypto: fromWeb(globalThis.crypto.subtle),
    });
    const token = await own.token(keys[alg], { sid: "s" });
    expect(await outcome(verifier.verify(token))).toBe("accepted");
    const [header, , signature] = token.split(".");
    const [, payload] = (await own.token(keys[alg], { sub: "root" })).split(".");
    const forged = `${header}.${payload}.${signature}`;
    expect(await outcome(verifier.verify(forged))).toBe("authentication_required/signature");
    own.revoke("sid", "s");
    own.time += 61_000;
    expect(await outcome(verifier.verify(token))).toBe("token_revoked/revoked");
    verifier.close();
  });

  test("an audience among several, clocks a little apart", async () => {
    const aud = ["https://elsewhere.example", `${issuer.url}/api/${APPLICATION}`];
    expect(await verify(await issuer.token(keys.EdDSA, { aud }))).toBe("accepted");
    const { seconds } = issuer;
    expect(await verify(await issuer.token(keys.EdDSA, { iat: seconds + 4, nbf: seconds + 4 }))).toBe("accepted");
    expect(await verify(await issuer.token(keys.EdDSA, { exp: seconds - 4 }))).toBe("accepted");
  });

  test("a machine's token without a session", async () => {
    const machine = { sub: "client", sid: undefined, aal: undefined, org: undefined };
    expect(await verify(await issuer.token(keys.EdDSA, machine))).toBe("accepted");
  });

  test("claims cannot be changed for the token's next request", async () => {
    const token = await issuer.token(keys.EdDSA, { groups: ["a"] });
    const claims = await server.verifyToken(token);
    expect(() => Object.assign(claims, { sub: "somebody else" })).toThrow(TypeError);
    expect(() => (claims.groups as string[]).push("admins")).toThrow(TypeError);
    expect((await server.verifyToken(token)).groups).toEqual(["a"]);
  });
});

describe("refuses nothing and nonsense", () => {
  test.each(["", " ", "Bearer", "Bearer ", "bearer", null, undefined])("%p is not a token", async (value) => {
    expect(await verify(value)).toBe("authentication_required/no_token");
  });

  test.each(["x", "a.b", "a.b.c", "Basic dXNlcjpwYXNz", "Bearer a.b.c.d", "..", "{}", "Bearer Bearer a.b.c"])(
    "%p is malformed",
    async (value) => {
      expect(await verify(value)).toBe("authentication_required/malformed");
    },
  );

  test("an array, as some frameworks pass a repeated header", async () => {
    expect(await verify(["Bearer a", "Bearer b"] as unknown as string)).toBe("authentication_required/no_token");
  });
});

/** Every entry is signed where possible, and must be refused for its own reason. RFC 8725 section 2 names most of them. */
const attacks: Record<string, { expect: string; token: () => Promise<string> | string }> = {
  "alg none": {
    expect: "malformed",
    token: () => `${base64url({ alg: "none", kid: keys.EdDSA.kid })}.${base64url({ typ: "access" })}.`,
  },
  "alg none with a signature": {
    expect: "signature",
    token: async () => withHeader(await issuer.token(keys.EdDSA), { alg: "none", kid: keys.EdDSA.kid }),
  },
  "HS256 keyed with the public key's bytes": {
    expect: "signature",
    token: async () => {
      const [, payload] = (await issuer.token(keys.EdDSA)).split(".");
      const signed = `${base64url({ alg: "HS256", kid: keys.EdDSA.kid })}.${payload}`;
      const secret = Buffer.from(keys.EdDSA.jwk.x ?? "", "base64url");
      return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
    },
  },
  "an unpublished kid": {
    expect: "unknown_key",
    token: async () => issuer.token(await newKey("EdDSA", "unpublished")),
  },
  "a published kid, signed by another key": {
    expect: "signature",
    token: async () => issuer.token({ ...(await newKey("EdDSA")), kid: keys.EdDSA.kid }),
  },
  "the kid of a key of another algorithm": {
    expect: "signature",
    token: () => issuer.token({ ...keys.EdDSA, kid: keys.RS256.kid }),
  },
  "correctly signed, with another algorithm's name": {
    expect: "signature",
    token: () => signRaw({ alg: "ES256", kid: keys.EdDSA.kid }, JSON.stringify({ typ: "access" })),
  },
  "no kid": { expect: "unknown_key", token: () => issuer.token(keys.EdDSA, {}, { kid: undefined }) },
  "a kid that is not a string": { expect: "malformed", token: () => issuer.token(keys.EdDSA, {}, { kid: 7 }) },
  "__proto__ as kid": { expect: "unknown_key", token: () => issuer.token(keys.EdDSA, {}, { kid: "__proto__" }) },
  "a key in the header as jwk": {
    expect: "signature",
    token: async () => {
      const own = await newKey("EdDSA");
      return issuer.token({ ...own, kid: keys.EdDSA.kid }, {}, { jwk: own.jwk });
    },
  },
  "a key in the header as jku and x5u": {
    expect: "unknown_key",
    token: async () => {
      const own = await newKey("EdDSA");
      return issuer.token(own, {}, { jku: `${issuer.url}/attacker`, x5u: `${issuer.url}/attacker` });
    },
  },
  "crit with an extension": {
    expect: "malformed",
    token: async () => withHeader(await issuer.token(keys.EdDSA), { alg: "EdDSA", kid: keys.EdDSA.kid, crit: ["exp"] }),
  },
  "crit, correctly signed": {
    expect: "malformed",
    token: () => signRaw({ alg: "EdDSA", kid: keys.EdDSA.kid, crit: ["x"], x: 1 }, JSON.stringify({ typ: "access" })),
  },
  "unencoded payload (RFC 7797)": {
    expect: "malformed",
    token: () => signRaw({ alg: "EdDSA", kid: keys.EdDSA.kid, b64: false }, JSON.stringify({ typ: "access" })),
  },
  "a header type of another kind": {
    expect: "malformed",
    token: () => issuer.token(keys.EdDSA, {}, { typ: "logout+jwt" }),
  },
  truncated: { expect: "signature", token: async () => (await issuer.token(keys.EdDSA)).slice(0, -6) },
  "payload and signature swapped": {
    expect: "signature",
    token: async () => {
      const [header, payload, signature] = (await issuer.token(keys.EdDSA)).split(".");
      return `${header}.${signature}.${payload}`;
    },
  },
  "another token's payload": {
    expect: "signature",
    token: async () => {
      const [header, , signature] = (await issuer.token(keys.EdDSA)).split(".");
      const [, payload] = (await issuer.token(keys.EdDSA, { sub: "root" })).split(".");
      return `${header}.${payload}.${signature}`;
    },
  },
  "the same signature with another encoding": {
    expect: "malformed",
    token: async () => {
      const token = await issuer.token(keys.EdDSA);
      const last = token.slice(-1);
      return token.slice(0, -1) + String.fromCharCode(last.charCodeAt(0) + 1);
    },
  },
  padding: { expect: "malformed", token: async () => `${await issuer.token(keys.EdDSA)}==` },
  "a line break inside": {
    expect: "malformed",
    token: async () => (await issuer.token(keys.EdDSA)).replace(".", ".\n"),
  },
  oversized: { expect: "malformed", token: () => issuer.token(keys.EdDSA, { pad: "x".repeat(20_000) }) },
  "a payload that is not JSON": {
    expect: "malformed",
    token: () => signRaw({ alg: "EdDSA", kid: keys.EdDSA.kid }, "not json"),
  },
  "a payload that is an array": {
    expect: "malformed",
    token: () => signRaw({ alg: "EdDSA", kid: keys.EdDSA.kid }, "[]"),
  },
  "a payload that is not UTF-8": {
    expect: "malformed",
    token: () => signRaw({ alg: "EdDSA", kid: keys.EdDSA.kid }, Buffer.from('{"a":"\xff"}', "latin1")),
  },
  "another tenant's issuer": {
    expect: "issuer",
    token: () => issuer.token(keys.EdDSA, { iss: `${issuer.url}/t/other` }),
  },
  "the issuer with an extra slash": {
    expect: "issuer",
    token: () => issuer.token(keys.EdDSA, { iss: `${issuer.url}/` }),
  },
  "no issuer": { expect: "issuer", token: () => issuer.token(keys.EdDSA, { iss: undefined }) },
  "another audience": { expect: "audience", token: () => issuer.token(keys.EdDSA, { aud: "https://api.example" }) },
  "an audience with the same beginning": {
    expect: "audience",
    token: () => issuer.token(keys.EdDSA, { aud: `${issuer.url}/api/${APPLICATION}/x` }),
  },
  "the bare client id as audience (an ID token's)": {
    expect: "audience",
    token: () => issuer.token(keys.EdDSA, { aud: APPLICATION }),
  },
  "several audiences, none of them ours": {
    expect: "audience",
    token: () => issuer.token(keys.EdDSA, { aud: ["https://api.example", APPLICATION] }),
  },
  "no audience": { expect: "audience", token: () => issuer.token(keys.EdDSA, { aud: undefined }) },
  "another application": {
    expect: "application",
    token: () => issuer.token(keys.EdDSA, { azp: "018f3c4a-7b2e-7c1d-9e0a-000000000000" }),
  },
  "no application": { expect: "application", token: () => issuer.token(keys.EdDSA, { azp: undefined }) },
  "a refresh token": { expect: "type", token: () => issuer.token(keys.EdDSA, { typ: "refresh" }) },
  "an MFA token": { expect: "type", token: () => issuer.token(keys.EdDSA, { typ: "mfa" }) },
  "no type": { expect: "type", token: () => issuer.token(keys.EdDSA, { typ: undefined }) },
  "no exp": { expect: "missing_claim", token: () => issuer.token(keys.EdDSA, { exp: undefined }) },
  "exp as a string": { expect: "malformed", token: () => issuer.token(keys.EdDSA, { exp: "9999999999" }) },
  "nbf as a string": { expect: "malformed", token: () => issuer.token(keys.EdDSA, { nbf: "9999999999" }) },
  "exp beyond numbers": {
    expect: "malformed",
    token: () =>
      signRaw(
        { alg: "EdDSA", kid: keys.EdDSA.kid },
        JSON.stringify({
          iss: issuer.url,
          aud: `${issuer.url}/api/${APPLICATION}`,
          azp: APPLICATION,
          sub: "x",
          typ: "access",
          iat: issuer.seconds,
          exp: "@",
        }).replace('"@"', "1e999"),
      ),
  },
  "no iat, on which revocation depends": {
    expect: "missing_claim",
    token: () => issuer.token(keys.EdDSA, { iat: undefined }),
  },
  "no subject": { expect: "missing_claim", token: () => issuer.token(keys.EdDSA, { sub: undefined }) },
  "sid in another type, to escape its revocation": {
    expect: "malformed",
    token: () => issuer.token(keys.EdDSA, { sid: ["018f3c4a-0000-7000-8000-000000000002"] }),
  },
  "jti in another type, to escape its revocation": {
    expect: "malformed",
    token: () => issuer.token(keys.EdDSA, { jti: ["018f3c4a-0000-7000-8000-000000000004"] as unknown as string }),
  },
  "not valid before a time in the future": {
    expect: "not_yet_valid",
    token: () => issuer.token(keys.EdDSA, { nbf: issuer.seconds + 60 }),
  },
  "issued in the future, beyond any revocation": {
    expect: "not_yet_valid",
    token: () => issuer.token(keys.EdDSA, { iat: issuer.seconds + 600 }),
  },
};

test("a clock that is up to 30 seconds ahead refuses no token, and the message for more names the clocks", async () => {
  for (const [ahead, expected] of [
    [30, "accepted"],
    [31, "authentication_required/not_yet_valid"],
  ] as const) {
    for (const claim of ["iat", "nbf"]) {
      const token = await issuer.token(keys.EdDSA, { [claim]: issuer.seconds + ahead });
      expect([claim, ahead, await verify(token)]).toEqual([claim, ahead, expected]);
    }
  }
  const late = server.verifyToken(await issuer.token(keys.EdDSA, { iat: issuer.seconds + 31 }));
  await expect(late).rejects.toMatchObject({ message: expect.stringContaining("set the clocks") });
});

describe("attacks", () => {
  test.each(Object.entries(attacks))("%s", async (_name, attack) => {
    const before = issuer.count("/attacker");
    expect(await verify(`Bearer ${await attack.token()}`)).toBe(`authentication_required/${attack.expect}`);
    expect(issuer.count("/attacker")).toBe(before);
  });

  test("expired, even if it was verified before", async () => {
    const token = await issuer.token(keys.EdDSA, { exp: issuer.seconds + 30 });
    expect(await verify(token)).toBe("accepted");
    const { time } = issuer;
    issuer.time += 36_000;
    expect(await verify(token)).toBe("token_expired/expired");
    expect(await verify(await issuer.token(keys.EdDSA, { exp: issuer.seconds - 60 }))).toBe("token_expired/expired");
    issuer.time = time;
  });

  test("HMAC tokens of the appliance itself (refresh, MFA) never pass", async () => {
    const secret = new TextEncoder().encode("s".repeat(64));
    const token = await new SignJWT({ typ: "access" })
      .setProtectedHeader({ alg: "HS256", kid: keys.RS256.kid })
      .sign(secret);
    expect(await verify(token)).toBe("authentication_required/signature");
  });

  test("a refusal carries status and type for the answer to the caller", async () => {
    const error = await server.verifyToken("").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "SallyportError", status: 401, type: "authentication_error", requestId: null });
  });
});

function withHeader(token: string, header: Record<string, unknown>): string {
  const [, payload, signature] = token.split(".");
  return `${base64url(header)}.${payload}.${signature}`;
}

/** Makes a correct Ed25519 signature over any header and payload, which jose would refuse. */
async function signRaw(header: Record<string, unknown>, payload: string | Buffer): Promise<string> {
  const signed = `${base64url(header)}.${Buffer.from(payload).toString("base64url")}`;
  const signature = await crypto.subtle.sign("Ed25519", keys.EdDSA.privateKey, new TextEncoder().encode(signed));
  return `${signed}.${Buffer.from(signature).toString("base64url")}`;
}

describe("a token of the right keys for another place says what to set", () => {
  test.each([
    ["issuer", { iss: "https://login.example.com/t/acme" }, "https://login.example.com/t/acme", "tenantUrl"],
    ["issuer", { iss: undefined }, "missing", "SALLYPORT_TENANT_URL"],
    ["audience", { aud: "https://api.example" }, "https://api.example", "SALLYPORT_API_AUDIENCE"],
    [
      "audience",
      { aud: ["https://a.example", "https://b.example"] },
      "https://a.example https://b.example",
      "audience",
    ],
    [
      "application",
      { azp: "018f3c4a-7b2e-7c1d-9e0a-000000000000" },
      "018f3c4a-7b2e-7c1d-9e0a-000000000000",
      "SALLYPORT_APP_ID",
    ],
  ] as const)("%s %p", async (reason, claims, got, option) => {
    const error = await server.verifyToken(await issuer.token(keys.EdDSA, { ...claims })).catch((thrown) => thrown);
    expect(error.details).toEqual({ reason });
    const expected = { issuer: issuer.url, audience: `${issuer.url}/api/${APPLICATION}`, application: APPLICATION }[
      reason
    ];
    expect(error.message).toContain(` ${got}, but this server expects ${expected}.`);
    expect(error.message).toContain(option);
  });

  test("a claim adds no character to the challenge that a header refuses, and no long text", async () => {
    const iss = `https://ä.example/"\\\r\n${"x".repeat(1_000)}`;
    const error = await server.verifyToken(await issuer.token(keys.EdDSA, { iss })).catch((thrown) => thrown);
    expect(error.message).toContain("https://?.example/????x");
    expect(error.message.length).toBeLessThan(600);
    expect(error.message).toMatch(/^[ -~]+$/);
  });

  test("a token of other keys learns nothing", async () => {
    const stranger = await newKey("EdDSA", "unpublished");
    const error = await server
      .verifyToken(await issuer.token(stranger, { iss: "https://evil.example" }))
      .catch((thrown) => thrown);
    expect(error.message).not.toContain("http");
  });
});
