import { expect } from "bun:test";
import { createLocalJWKSet, createRemoteJWKSet, jwtVerify } from "jose";
import type { TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";
import { claimsOf, headerOf } from "../../support/tokens.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

async function login(app: TestApp, path: string, login: object, applicationId?: string) {
  const client = app.client(applicationId === undefined ? {} : { "x-application-id": applicationId });
  return (await client.post(`${path}/v1/auth/login`, login)).body;
}

/** The exact claims of a password sign-in, and no others (product.md, Access tokens). */
function expectedClaims(app: TestApp, issuer: string, applicationId: string, user: { id: string; email: string }) {
  const now = Math.floor(app.clock.now() / 1_000);
  return {
    iss: issuer,
    sub: user.id,
    aud: `${issuer}/api/${applicationId}`,
    azp: applicationId,
    exp: now + 900,
    iat: now,
    auth_time: now,
    jti: expect.stringMatching(UUID),
    sid: expect.stringMatching(UUID),
    typ: "access",
    aal: "aal1",
    auth_method: "password",
    amr: ["pwd"],
    scope: "account",
    email: user.email,
    email_verified: true,
  };
}

scenarios("access tokens", (t) => {
  t.test("claims and header match the contract exactly, in each algorithm", async (app) => {
    const user = await app.user();
    const p256 = await app.application({ algorithm: "ES256" });
    for (const [applicationId, alg] of [
      [app.defaultApplicationId, "RS256"],
      [app.applicationId, "EdDSA"],
      [p256, "ES256"],
    ] as const) {
      const { access_token: token } = await login(app, "", user.login, applicationId);
      expect(headerOf(token)).toEqual({ typ: "JWT", alg, kid: expect.stringMatching(UUID) });
      expect(claimsOf(token)).toEqual(expectedClaims(app, app.publicUrl, applicationId, user));
      const keys = createRemoteJWKSet(new URL(`/v1/applications/${applicationId}/.well-known/jwks.json`, app.url));
      await jwtVerify(token, keys, { currentDate: app.clock.date(), algorithms: [alg] });
      expect((await app.client().bearer(token).get("/v1/auth/session")).status).toBe(200);
    }
  });

  t.test("another tenant's issuer is its own URL", async (app) => {
    const acme = await app.tenant("acme");
    const user = await app.user("eve@example.com", acme.id);
    const { access_token: token } = await login(app, "/t/acme", user.login);
    expect(claimsOf(token)).toEqual(expectedClaims(app, `${app.publicUrl}/t/acme`, acme.defaultApplicationId, user));
  });

  t.test(
    "the issuer is the public URL, for any Host or port of the request",
    async (app) => {
      const user = await app.user();
      const { access_token: token } = await login(app, "", user.login);
      expect(claimsOf(token)).toMatchObject({ iss: "https://login.example.com" });
    },
    { publicUrl: "https://login.example.com" },
  );

  t.test("a refresh keeps user, session, application and sign-in time, and renews the rest", async (app) => {
    const user = await app.user();
    const first = await login(app, "", user.login);
    app.clock.advance(5_000);
    const second = (await app.client().post("/v1/auth/refresh", { refresh_token: first.refresh_token })).body;
    const [before, after] = [claimsOf(first.access_token), claimsOf(second.access_token)];
    expect(after).toEqual({ ...before, jti: after.jti, iat: Number(before.iat) + 5, exp: Number(before.exp) + 5 });
    expect(after.jti).not.toBe(before.jti);
  });

  t.test(
    "a plain JWT library verifies both algorithms with the published addresses (RFC 7519, ASVS 9.1.1)",
    async (app) => {
      const user = await app.user();
      const options = (applicationId: string) => ({
        issuer: app.publicUrl,
        audience: `${app.publicUrl}/api/${applicationId}`,
        typ: "JWT",
        currentDate: app.clock.date(),
      });
      // Tokens of the default application, with the root address and no header.
      const { access_token: rsa } = await login(app, "", user.login);
      const root = createRemoteJWKSet(new URL("/.well-known/jwks.json", app.url));
      const localhost = createRemoteJWKSet(new URL(`${app.publicUrl}/oauth2/jwks`));
      for (const keys of [root, localhost]) {
        const { payload } = await jwtVerify(rsa, keys, { ...options(app.defaultApplicationId), algorithms: ["RS256"] });
        expect(payload.sub).toBe(user.id);
      }
      const { access_token: ed } = await login(app, "", user.login, app.applicationId);
      const own = createRemoteJWKSet(new URL(`/v1/applications/${app.applicationId}/.well-known/jwks.json`, app.url));
      for (const keys of [own, localhost]) {
        expect((await jwtVerify(ed, keys, options(app.applicationId))).payload.sub).toBe(user.id);
      }
      await expect(jwtVerify(ed, root, options(app.applicationId))).rejects.toThrow("no applicable key");
    },
  );

  t.test("a library that checks only signatures still refuses a refresh token (ASVS 9.2.2)", async (app) => {
    const { tokens } = await app.signedIn();
    const { body } = await app.client().get("/oauth2/jwks");
    const keys = createLocalJWKSet(body as never);
    await expect(jwtVerify(tokens.refreshToken, keys, { currentDate: app.clock.date() })).rejects.toThrow();
    expect(headerOf(tokens.refreshToken)).toMatchObject({ alg: "HS256" });
    expect(claimsOf(tokens.refreshToken)).toEqual({
      typ: "refresh",
      sid: tokens.session.sid,
      gen: 1,
      iat: 1_772_366_400,
      exp: 1_772_366_400 + 30 * 86_400,
    });
  });

  t.test(
    "an access token works until its exact second, and the application sets the lifetime (ASVS 9.2.1)",
    async (app) => {
      const brief = await app.application({ access_token_ttl: 60 });
      const { tokens } = await app.signedIn(brief);
      const session = () => app.client().bearer(tokens.accessToken).get("/v1/auth/session");
      expect(tokens.expiresIn).toBe(60);
      app.clock.set(Date.UTC(2026, 2, 1, 12, 0, 59, 999));
      expect((await session()).status).toBe(200);
      app.clock.set(Date.UTC(2026, 2, 1, 12, 1, 0, 0));
      const expired = await session();
      expect([expired.status, expired.code]).toEqual([401, "token_expired"]);
      expect(expired.headers.get("www-authenticate")).toBe('Bearer error="invalid_token"');
    },
  );

  t.test("GET /v1/auth/session returns the user, the session and the application", async (app) => {
    const { user, tokens } = await app.signedIn();
    const { body } = await app.client().bearer(tokens.accessToken).get("/v1/auth/session");
    expect(body as unknown).toEqual({
      user: {
        id: user.id,
        external_id: null,
        email: user.email,
        email_verified: true,
        display_name: null,
        is_anonymous: false,
        metadata: {},
        created_at: "2026-03-01T12:00:00.250Z",
        updated_at: "2026-03-01T12:00:00.250Z",
      },
      session: {
        id: tokens.session.sid,
        application_id: app.applicationId,
        aal: "aal1",
        auth_method: "password",
        amr: ["pwd"],
        auth_time: "2026-03-01T12:00:00.000Z",
        user_agent: "test",
        device: null,
        address: "192.0.2.1",
        created_at: "2026-03-01T12:00:00.000Z",
        last_seen_at: "2026-03-01T12:00:00.000Z",
        expires_at: "2026-08-28T12:00:00.000Z",
        current: true,
      },
      organization: null,
      application: { id: app.applicationId, name: "My application", type: "web" },
    });
  });
});
