import { expect } from "bun:test";
import { createPublicKey, generateKeyPairSync, sign as signWith } from "node:crypto";
import type { TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";
import { altered, claimsOf, encode, headerOf, hmacToken } from "../../support/tokens.ts";

async function jwkOf(app: TestApp, applicationId: string): Promise<Record<string, string>> {
  const { body } = await app.client().get(`/v1/applications/${applicationId}/.well-known/jwks.json`);
  return body.keys[0] ?? {};
}

/** Returns every known forgery of a good token, by name. */
async function forgeries(app: TestApp, good: string): Promise<Record<string, string>> {
  const jwk = await jwkOf(app, String(claimsOf(good).azp));
  const kid = String(headerOf(good).kid);
  const pem = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" }).toString();
  const der = createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "der" });
  const [header = "", payload = "", signature = ""] = good.split(".");
  const attacker = generateKeyPairSync("ed25519");
  const own = attacker.publicKey.export({ format: "jwk" });
  const signed = (extra: Record<string, unknown>) => {
    const input = `${encode({ typ: "JWT", alg: "EdDSA", kid, ...extra })}.${payload}`;
    return `${input}.${signWith(null, Buffer.from(input), attacker.privateKey).toString("base64url")}`;
  };
  const claims = claimsOf(good);
  const none = (alg: string) => `${encode({ typ: "JWT", alg, kid })}.${payload}.`;
  const flip = signature.startsWith("A") ? "B" : "A";
  return {
    "alg none": none("none"),
    "alg None": none("None"),
    "alg nOnE": none("nOnE"),
    "alg none with the old signature": `${encode({ alg: "none" })}.${payload}.${signature}`,
    "no alg": `${encode({ typ: "JWT", kid })}.${payload}.${signature}`,
    "HS256 with the PEM of the public key": hmacToken({ kid }, claims, pem),
    "HS256 with the trimmed PEM": hmacToken({ kid }, claims, pem.trim()),
    "HS256 with the DER of the public key": hmacToken({ kid }, claims, der),
    "HS256 with the JWK's text": hmacToken({ kid }, claims, JSON.stringify(jwk)),
    "HS256 with the raw key": hmacToken({ kid }, claims, Buffer.from(jwk.x ?? jwk.n ?? "", "base64url")),
    "HS256 with an empty key": hmacToken({ kid }, claims, ""),
    "another algorithm of the same kid": altered(good, {
      header: { alg: headerOf(good).alg === "EdDSA" ? "RS256" : "EdDSA" },
    }),
    RS512: altered(good, { header: { alg: "RS512" } }),
    "an unknown kid": altered(good, { header: { kid: "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f" } }),
    "a kid that is a path": altered(good, { header: { kid: "../../../../dev/null" } }),
    "a kid that is SQL": altered(good, { header: { kid: "' OR '1'='1" } }),
    "a kid with a NUL": altered(good, { header: { kid: `${kid}\u0000` } }),
    "a kid that is not text": altered(good, { header: { kid: [kid] } }),
    "a kid of a prototype": altered(good, { header: { kid: "__proto__" } }),
    "a kid of the refresh key": hmacToken({ kid: "refresh-1" }, claims, "x"),
    "no kid": `${encode({ typ: "JWT", alg: headerOf(good).alg })}.${payload}.${signature}`,
    "an embedded jwk": signed({ jwk: own }),
    "a jku": signed({ jku: "https://evil.example/jwks.json" }),
    "an x5u": signed({ x5u: "https://evil.example/cert.pem" }),
    "an x5c": signed({ x5c: ["AAAA"] }),
    "an unknown crit": signed({ crit: ["exp"] }),
    "b64 false": signed({ b64: false, crit: ["b64"] }),
    "an attacker's signature under our kid": signed({}),
    "another user": altered(good, { claims: { sub: "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f" } }),
    "a later expiry": altered(good, { claims: { exp: 9_999_999_999 } }),
    "more scope": altered(good, { claims: { scope: "account admin" } }),
    "one bit of the signature": `${header}.${payload}.${flip}${signature.slice(1)}`,
    "a truncated signature": good.slice(0, -1),
    "no signature": `${header}.${payload}`,
    "an empty signature": `${header}.${payload}.`,
    "half a token": good.slice(0, good.length / 2),
    "a fourth part": `${good}.${signature}`,
    padding: `${good}==`,
    "a blank inside": `${header}.${payload}. ${signature}`,
    "JSON serialisation": encode({ protected: header, payload, signature }),
    "much too long": `${header}.${payload}${"A".repeat(60_000)}.${signature}`.slice(0, 12_000),
  };
}

scenarios("forged access tokens (RFC 8725, ASVS 7.2.1, 9.1.1, 9.1.2, 9.1.3)", (t) => {
  for (const which of ["EdDSA", "RS256", "ES256"] as const) {
    t.test(
      `every forgery of an ${which} token is refused by every procedure that takes such a token, and changes nothing`,
      async (app) => {
        const own = { EdDSA: app.applicationId, RS256: app.defaultApplicationId, ES256: null }[which];
        const applicationId = own ?? (await app.application({ algorithm: "ES256" }));
        const { tokens } = await app.signedIn(applicationId);
        const forged = await forgeries(app, tokens.accessToken);
        const before = await app.state();
        for (const [name, token] of Object.entries(forged)) {
          const client = app.client().bearer(token);
          const refused = await client.get("/v1/auth/session");
          expect([name, refused.status, refused.code]).toEqual([name, 401, "authentication_required"]);
          expect([name, (await client.post("/v1/auth/logout")).status]).toEqual([name, 401]);
          const suffix = which === "RS256" ? "" : `_${applicationId.slice(-12)}`;
          const cookie = { cookie: `sallyport_at${suffix}=${token}`, "x-application-id": applicationId };
          expect([name, (await app.client(cookie).get("/v1/auth/session")).status]).toEqual([name, 401]);
        }
        expect(await app.state()).toBe(before);
        expect((await app.client().bearer(tokens.accessToken).get("/v1/auth/session")).status).toBe(200);
      },
    );
  }

  t.test("a verified token is refused in any other spelling", async (app) => {
    const { tokens } = await app.signedIn();
    const good = tokens.accessToken;
    expect((await app.client().bearer(good).get("/v1/auth/session")).status).toBe(200);
    for (const token of [`${good}=`, good.toLowerCase(), `${good}\t`, good.replace(".", ".."), `"${good}"`]) {
      expect((await app.client({ authorization: `Bearer ${token}` }).get("/v1/auth/session")).status).toBe(
        token.endsWith("\t") ? 200 : 401,
      );
    }
  });

  t.test(
    "one tenant's key works for that tenant only, even in an attacker's hands (cross-tenant, RFC 8725 section 3.8)",
    async (app) => {
      const acme = await app.tenant("acme");
      const evil = await app.user("eve@example.com", acme.id);
      const theirs = await app.signIn(evil, acme.applicationId);
      const { user, tokens } = await app.signedIn();
      const signer = await app.identity.keyring.signer(acme.id, "EdDSA");
      const ours = claimsOf(tokens.accessToken);
      const kid = headerOf(theirs.accessToken).kid;
      const mint = (claims: object, header: object = {}) => {
        const input = `${encode({ typ: "JWT", alg: "EdDSA", kid, ...header })}.${encode(claims)}`;
        const signature = signer.sign(Buffer.from(input)) as Uint8Array;
        return `${input}.${Buffer.from(signature).toString("base64url")}`;
      };
      // The harness signs as acme does: a token with acme's own claims is accepted.
      expect(
        (
          await app
            .client()
            .bearer(mint(claimsOf(theirs.accessToken)))
            .get("/v1/auth/session")
        ).status,
      ).toBe(200);
      const tries = {
        "all claims of the other tenant": mint(ours),
        "the other tenant's application": mint({ ...claimsOf(theirs.accessToken), azp: ours.azp }),
        "the other tenant's issuer": mint({ ...claimsOf(theirs.accessToken), iss: ours.iss }),
        "the other tenant's kid": mint(ours, { kid: headerOf(tokens.accessToken).kid }),
        "the other tenant's user": mint({ ...claimsOf(theirs.accessToken), sub: user.id }),
        "the other tenant's session": mint({ ...claimsOf(theirs.accessToken), sid: ours.sid }),
        "the other tenant's user and session": mint({ ...claimsOf(theirs.accessToken), sub: user.id, sid: ours.sid }),
        "no typ": mint({ ...claimsOf(theirs.accessToken), typ: undefined }),
        "typ refresh": mint({ ...claimsOf(theirs.accessToken), typ: "refresh" }),
        "typ mfa": mint({ ...claimsOf(theirs.accessToken), typ: "mfa" }),
        "exp as text": mint({ ...claimsOf(theirs.accessToken), exp: "9999999999" }),
        "exp null": mint({ ...claimsOf(theirs.accessToken), exp: null }),
        "no exp": mint({ ...claimsOf(theirs.accessToken), exp: undefined }),
        "sub as a list": mint({ ...claimsOf(theirs.accessToken), sub: [evil.id] }),
        "aud as a list": mint({ ...claimsOf(theirs.accessToken), aud: ["x", "y"] }),
        "azp with a NUL": mint({ ...claimsOf(theirs.accessToken), azp: "\u0000" }),
        "sid with a NUL": mint({ ...claimsOf(theirs.accessToken), sid: "\u0000" }),
        expired: mint({ ...claimsOf(theirs.accessToken), exp: 1 }),
      };
      const before = await app.state();
      for (const [name, token] of Object.entries(tries)) {
        expect([name, (await app.client().bearer(token).get("/v1/auth/session")).status]).toEqual([name, 401]);
        expect([name, (await app.client().bearer(token).post("/v1/auth/logout")).status === 200]).toEqual([
          name,
          name === "expired",
        ]);
        if (name !== "expired") expect([name, await app.state()]).toEqual([name, before]);
      }
    },
  );
});

scenarios("every token at every other endpoint (ASVS 9.2.2, 9.2.3)", (t) => {
  t.test("no endpoint accepts a token of another kind", async (app) => {
    const acme = await app.tenant("acme");
    const { tokens } = await app.signedIn();
    const { accessToken, refreshToken } = tokens;
    const elsewhere = await app.signIn(await app.user("eve@example.com", acme.id), acme.applicationId);
    const before = await app.state();
    const session = async (token: string, path = "/v1/auth/session") =>
      (await app.client().bearer(token).get(path)).code;
    const refresh = async (token: string) =>
      (await app.client().post("/v1/auth/refresh", { refresh_token: token })).code;
    for (const token of [refreshToken, app.secretKey, acme.secretKey, app.applicationId, "sally_sk_"]) {
      expect(await session(token)).toBe("authentication_required");
      expect((await app.client().bearer(token).post("/v1/auth/logout")).code).toBe("authentication_required");
    }
    for (const token of [accessToken, app.secretKey, elsewhere.accessToken, "x", "a.b.c"]) {
      expect(await refresh(token)).toBe("invalid_credentials");
    }
    for (const token of [accessToken, refreshToken, "sally_sk_x"]) {
      expect(["authentication_required", "invalid_credentials"]).toContain((await session(token, "/v1/users")) ?? "");
    }
    // A cookie of one kind under the name of the other kind.
    const suffix = `_${app.applicationId.slice(-12)}`;
    const cookies = { cookie: `sallyport_at${suffix}=${refreshToken}; sallyport_rt${suffix}=${accessToken}` };
    const swapped = app.client({ ...cookies, "x-application-id": app.applicationId });
    expect((await swapped.get("/v1/auth/session")).code).toBe("authentication_required");
    expect((await swapped.post("/v1/auth/refresh")).code).toBe("invalid_credentials");
    expect(await app.state()).toBe(before);
  });

  t.test("a refresh token's claims under any key but the sealed one are refused", async (app) => {
    const { tokens } = await app.signedIn();
    const claims = claimsOf(tokens.refreshToken);
    const before = await app.state();
    const kids = ["refresh-1", "refresh-2", "refresh-0", "mfa-1", "", "refresh-1\u0000"];
    for (const kid of kids) {
      for (const key of ["", "refresh-1", app.secretKey, tokens.accessToken]) {
        const token = hmacToken({ kid }, { ...claims, gen: 2 }, key);
        const refused = await app.client().post("/v1/auth/refresh", { refresh_token: token });
        expect([kid, refused.code]).toEqual([kid, "invalid_credentials"]);
      }
    }
    for (const token of [
      altered(tokens.refreshToken, { claims: { gen: 2 } }),
      altered(tokens.refreshToken, { header: { alg: "none" } }),
    ]) {
      expect((await app.client().post("/v1/auth/refresh", { refresh_token: token })).code).toBe("invalid_credentials");
    }
    expect(await app.state()).toBe(before);
  });
});
