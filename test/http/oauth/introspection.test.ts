import { expect } from "bun:test";
import { SallyportServer } from "../../../src/sdk/server/index.ts";
import type { TestApp } from "../../support/app.ts";
import { basic, machine as clientWith, form, type Machine, tokenOf } from "../../support/machines.ts";
import { scenarios } from "../../support/scenarios.ts";

/** Makes a client that may introspect. */
const machine = (app: TestApp, options: { tenantId?: string } = {}) =>
  clientWith(app, { ...options, grants: { management: ["users:read", "tokens:read"] } });
const introspect = (app: TestApp, client: Machine, token: string) =>
  form(app.client(), "/oauth2/introspect", { token }, basic(client.id, client.secret));
const revoke = (app: TestApp, client: Machine, token: string) =>
  form(app.client(), "/oauth2/revoke", { token }, basic(client.id, client.secret));

scenarios("POST /oauth2/introspect (RFC 7662)", (t) => {
  t.test("describes live tokens of the tenant, and no other tokens", async (app) => {
    const client = await machine(app);
    const own = await introspect(app, client, await tokenOf(app, client));
    expect(own.body as unknown).toMatchObject({
      active: true,
      client_id: client.id,
      sub: client.id,
      scope: "users:read tokens:read",
    });
    expect(own.headers.get("cache-control")).toBe("no-store");
    const { user, tokens } = await app.signedIn();
    const users = await introspect(app, client, tokens.accessToken);
    expect(users.body as unknown).toMatchObject({
      active: true,
      sub: user.id,
      client_id: app.applicationId,
      aal: "aal1",
    });

    const acme = await app.tenant("acme");
    const foreign = await machine(app, { tenantId: acme.id });
    for (const [what, token] of [
      ["another tenant's", await tokenOf(app, foreign, {}, "/t/acme")],
      ["a refresh token", tokens.refreshToken],
      ["a secret key", app.secretKey],
      ["a client secret", client.secret],
      ["noise", "x"],
      ["a changed token", `${tokens.accessToken.slice(0, -4)}AAAA`],
    ] as const) {
      const answer = await introspect(app, client, token);
      expect([what, answer.status, answer.text]).toEqual([what, 200, '{"active":false}']);
    }
    await app.client().bearer(tokens.accessToken).post("/v1/auth/logout");
    expect((await introspect(app, client, tokens.accessToken)).oauth.active).toBe(false);
    const late = await tokenOf(app, client);
    app.clock.advance(900_000);
    expect((await introspect(app, client, late)).oauth.active).toBe(false);
  });

  t.test("a secret key reads only tokens of its own application, and no token gives access", async (app) => {
    const client = await machine(app);
    const { tokens } = await app.signedIn();
    const elsewhere = await app.signedIn(app.defaultApplicationId);
    const acme = await app.tenant("acme");
    const ask = (credential: string, token: string) =>
      form(app.client(), "/oauth2/introspect", { token }, { authorization: `Bearer ${credential}` });
    expect((await ask(app.secretKey, tokens.accessToken)).oauth.active).toBe(true);
    expect((await ask(app.secretKey, elsewhere.tokens.accessToken)).oauth.active).toBe(false);
    expect((await ask(app.secretKey, await tokenOf(app, client))).oauth.active).toBe(false);
    for (const [what, credential] of [
      ["another tenant's key", acme.secretKey],
      ["a user's token", tokens.accessToken],
      ["an M2M token", await tokenOf(app, client)],
      ["a key with a typing error", `${app.secretKey.slice(0, -1)}!`],
    ] as const) {
      expect([what, (await ask(credential, elsewhere.tokens.accessToken)).status]).toEqual([what, 401]);
    }
    const bare = await form(app.client(), "/oauth2/introspect", { token: tokens.accessToken });
    expect([bare.status, bare.oauth.error]).toEqual([401, "invalid_client"]);
    const missing = await form(app.client(), "/oauth2/introspect", {}, basic(client.id, client.secret));
    expect([missing.status, missing.oauth.error]).toEqual([400, "invalid_request"]);
  });
});

scenarios("POST /oauth2/revoke (RFC 7009)", (t) => {
  t.test("ends one token everywhere, also twice without an error, and keeps the client's other tokens", async (app) => {
    const client = await machine(app);
    const [token, other] = [await tokenOf(app, client), await tokenOf(app, client)];
    for (let i = 0; i < 2; i++) expect((await revoke(app, client, token)).text).toBe("{}");
    expect((await app.client().bearer(token).get("/v1/users")).code).toBe("token_revoked");
    expect((await introspect(app, client, token)).oauth.active).toBe(false);
    expect((await app.client().bearer(other).get("/v1/users")).status).toBe(200);
    const entries = (await app.client().get("/v1/revocations")).body.data;
    expect(entries.map(({ kind }) => kind)).toEqual(["jti"]);
    expect((await app.audit()).filter((action) => action === "client.token_revoked").length).toBe(1);
  });

  t.test("ends no token of another client, and reports no error for an invalid token", async (app) => {
    const [client, other] = [await machine(app), await machine(app)];
    const { tokens } = await app.signedIn();
    const theirs = await tokenOf(app, other);
    for (const token of [theirs, tokens.accessToken]) {
      const answer = await revoke(app, client, token);
      expect([answer.status, answer.oauth.error]).toEqual([400, "unauthorized_client"]);
    }
    for (const token of ["x", tokens.refreshToken]) expect((await revoke(app, client, token)).status).toBe(200);
    expect((await app.client().bearer(theirs).get("/v1/users")).status).toBe(200);
    expect((await app.client().bearer(tokens.accessToken).get("/v1/auth/session")).status).toBe(200);
  });
});

scenarios("the right to introspect", (t) => {
  t.test("is a scope: neither another client nor another key may read tokens", async (app) => {
    const { tokens } = await app.signedIn();
    const { accessToken: token } = tokens;
    const client = await clientWith(app, { grants: { management: ["users:read"] } });
    const bare = await clientWith(app, { grants: {} });
    const key = await app.newSecretKey({ scopes: ["sessions:read"] });
    for (const credential of [
      basic(client.id, client.secret),
      basic(bare.id, bare.secret),
      { authorization: `Bearer ${key}` },
    ]) {
      const answer = await form(app.client(), "/oauth2/introspect", { token }, credential);
      expect([answer.status, answer.oauth.error]).toEqual([403, "insufficient_scope"]);
      expect(answer.headers.get("www-authenticate")).toContain('scope="tokens:read"');
      expect(answer.text).not.toContain("active");
    }
    const reader = await app.newSecretKey({ scopes: ["tokens:read"] });
    const read = await form(app.client(), "/oauth2/introspect", { token }, { authorization: `Bearer ${reader}` });
    expect(read.oauth.active).toBe(true);
  });

  t.test("is every token's for itself, and for no other token", async (app) => {
    const acme = await app.tenant("acme");
    const client = await clientWith(app);
    const { user, tokens } = await app.signedIn();
    const other = await app.signIn(user);
    const own = (token: string, path = "") =>
      form(app.client(), `${path}/oauth2/introspect`, { token }, { authorization: `Bearer ${token}` });
    const machineToken = await tokenOf(app, client);
    expect((await own(tokens.accessToken)).oauth).toMatchObject({ active: true, sub: user.id });
    expect((await own(machineToken)).oauth).toMatchObject({ active: true, sub: client.id });
    const stranger = await form(
      app.client(),
      "/oauth2/introspect",
      { token: other.accessToken },
      { authorization: `Bearer ${tokens.accessToken}` },
    );
    expect(stranger.status).toBe(401);
    const inactive = { active: false } as never;
    expect((await own(tokens.accessToken, "/t/acme")).oauth).toEqual(inactive);
    for (const secret of [app.secretKey, acme.secretKey, tokens.refreshToken, "noise", `${machineToken}x`]) {
      expect((await own(secret)).oauth).toEqual(inactive);
    }
    await app.client().bearer(tokens.accessToken).post("/v1/auth/logout");
    expect((await own(tokens.accessToken)).oauth).toEqual(inactive);
    await form(app.client(), "/oauth2/revoke", { token: machineToken }, basic(client.id, client.secret));
    expect((await own(machineToken)).oauth).toEqual(inactive);
  });

  t.test(
    "lets a verifier that lost the feed ask about tokens of every audience, and about machine tokens",
    async (app) => {
      const audience = "https://api.example.com";
      const client = await clientWith(app, { grants: { [audience]: ["read"] } });
      const applicationId = await app.application({ audiences: [audience] });
      const user = await app.user();
      const answers = [await app.signIn(user, applicationId), await app.signIn(user, applicationId)];
      const [live, ended] = answers.map(({ accessToken }) => accessToken) as [string, string];
      const [machineToken, revoked] = [
        await tokenOf(app, client, { audience }),
        await tokenOf(app, client, { audience }),
      ];
      let isFeedUp = true;
      for (const [id, good, bad] of [
        [applicationId, live, ended],
        [client.id, machineToken, revoked],
      ] as const) {
        isFeedUp = true;
        const server = new SallyportServer({
          baseUrl: app.url,
          issuer: app.publicUrl,
          applicationId: id,
          audience,
          onStale: "introspect",
          revocations: "poll",
          now: () => app.clock.now(),
          fetch: (url, init) => {
            if (url.includes("/v1/revocations") && !isFeedUp) throw new Error("the feed is out of reach");
            return fetch(url, init);
          },
        });
        await server.verifyToken(good);
        await server.verifyToken(bad);
        isFeedUp = false;
        app.clock.advance(61_000);
        if (bad === ended) await app.client().bearer(ended).post("/v1/auth/logout");
        else await form(app.client(), "/oauth2/revoke", { token: bad }, basic(client.id, client.secret));
        expect((await server.verifyToken(good)).aud).toBe(audience);
        await expect(server.verifyToken(bad)).rejects.toMatchObject({ code: "token_revoked" });
        server.close();
      }
    },
  );
});
