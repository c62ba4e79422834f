import { expect } from "bun:test";
import { toPrefixedId } from "../../src/core/ids.ts";
import { scenarios } from "../support/scenarios.ts";
import { claimsOf } from "../support/tokens.ts";

scenarios("the application of a request", (t) => {
  t.test(
    "without a credential, is the one in the header, in either form and case, or else the default one",
    async (app) => {
      const user = await app.user();
      const prefixed = toPrefixedId("application", app.applicationId);
      const meant = async (headers: Record<string, string>) => {
        const answer = await app.client(headers).post("/v1/auth/login", user.login);
        return answer.status === 200 ? claimsOf(answer.body.access_token).azp : answer.code;
      };
      expect(await meant({})).toBe(app.defaultApplicationId);
      for (const id of [
        app.applicationId,
        app.applicationId.toUpperCase(),
        prefixed,
        prefixed.toLowerCase(),
        prefixed.toUpperCase(),
      ]) {
        expect([id, await meant({ "x-application-id": id })]).toEqual([id, app.applicationId]);
      }
    },
  );

  t.test("is never the default one if the request names an id", async (app) => {
    const user = await app.user();
    const disabled = await app.application();
    await app.disable("applications", disabled);
    const acme = await app.tenant("acme");
    await app.disable("tenants", acme.id);
    const ids = [
      "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f",
      toPrefixedId("user", app.applicationId),
      toPrefixedId("tenant", app.applicationId),
      `${toPrefixedId("application", app.applicationId)}0`,
      "app_zzzzzzzzzzzzzzzzzzzzzzzzzz",
      "app_01HWY4MYSEFGESW2GZ5CY4TQKI",
      disabled,
      acme.applicationId,
      "",
      "default",
      `${app.applicationId}, ${app.applicationId}`,
      `${app.applicationId};x`,
      "x".repeat(4_000),
    ];
    for (const id of ids) {
      const answer = await app.client({ "x-application-id": id }).post("/v1/auth/login", user.login);
      expect([id, answer.status, answer.code]).toEqual([id, 400, "unknown_application"]);
      expect(answer.cookies).toEqual([]);
    }
  });

  t.test("is the credential's own, and a header or path that disagrees gets 403", async (app) => {
    const acme = await app.tenant("acme");
    const { tokens } = await app.signedIn();
    const agree = [app.applicationId, toPrefixedId("application", app.applicationId)];
    const disagree = [app.defaultApplicationId, acme.applicationId, "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f"];
    const bearers: [string, string, string, unknown][] = [
      ["GET", "/v1/auth/session", tokens.accessToken, undefined],
      ["GET", "/v1/auth/sessions", tokens.accessToken, undefined],
      ["DELETE", "/v1/auth/sessions", tokens.accessToken, undefined],
      ["GET", "/v1/users", app.secretKey, undefined],
      ["POST", "/v1/auth/logout", tokens.accessToken, {}],
    ];
    const before = await app.state();
    for (const [method, path, token, json] of bearers) {
      const send = (prefix: string, headers: Record<string, string>) =>
        app
          .client(headers)
          .bearer(token)
          .send(method, prefix + path, json === undefined ? {} : { json });
      for (const id of disagree) {
        const answer = await send("", { "x-application-id": id });
        expect([path, id, answer.status]).toEqual([
          path,
          id,
          path === "/v1/auth/logout" && id === disagree[2] ? 400 : 403,
        ]);
      }
      const elsewhere = await send("/t/acme", {});
      expect([path, elsewhere.status, elsewhere.code]).toEqual([path, 403, "application_mismatch"]);
      expect((await send("", { "x-application-id": "nonsense" })).status).toBe(400);
    }
    expect(await app.state()).toBe(before);
    for (const [method, path, token, json] of bearers) {
      for (const id of agree) {
        const client = app.client({ "x-application-id": id }).bearer(token);
        expect((await client.send(method, path, json === undefined ? {} : { json })).status).toBe(200);
      }
    }
  });

  t.test("is that of a refresh token in the body, and a header or path that disagrees gets 403", async (app) => {
    const acme = await app.tenant("acme");
    const { tokens } = await app.signedIn();
    const refresh = (headers: Record<string, string>, prefix = "") =>
      app.client(headers).post(`${prefix}/v1/auth/refresh`, { refresh_token: tokens.refreshToken });
    for (const id of [app.defaultApplicationId, acme.applicationId]) {
      expect((await refresh({ "x-application-id": id })).code).toBe("application_mismatch");
    }
    expect((await refresh({}, "/t/acme")).code).toBe("application_mismatch");
    for (const answer of [await refresh({}, "/t/default"), await refresh({})]) {
      expect(claimsOf(answer.body.access_token).azp).toBe(app.applicationId);
    }
  });

  t.test("is the default application of the tenant in the path", async (app) => {
    const acme = await app.tenant("acme");
    const user = await app.user("eve@example.com", acme.id);
    const login = (path: string, headers: Record<string, string> = {}) => app.client(headers).post(path, user.login);
    const answer = await login("/t/acme/v1/auth/login");
    expect(claimsOf(answer.body.access_token)).toMatchObject({ azp: acme.defaultApplicationId, iss: acme.issuer });
    const own = await login("/t/acme/v1/auth/login", { "x-application-id": acme.applicationId });
    expect(claimsOf(own.body.access_token).azp).toBe(acme.applicationId);
    expect((await login("/t/acme/v1/auth/login", { "x-application-id": app.applicationId })).code).toBe(
      "unknown_application",
    );
    expect((await login("/v1/auth/login")).code).toBe("invalid_credentials");
    for (const slug of ["nobody", "ACME", "acme%00", "acme%2f..", "acme%20", "%61cme%0a"]) {
      expect([slug, (await login(`/t/${slug}/v1/auth/login`)).status]).toEqual([slug, 404]);
    }
    const trpc = await login("/t/acme/trpc/auth.login");
    expect(trpc.status).toBe(200);
  });

  t.test(
    "belongs to the tenant of a configured Host, and the path must agree",
    async (app) => {
      const acme = await app.tenant("acme");
      const user = await app.user("eve@example.com", acme.id);
      const client = app.client({ host: "login.acme.example" });
      const answer = await client.post("/v1/auth/login", user.login);
      expect(claimsOf(answer.body.access_token)).toMatchObject({ azp: acme.defaultApplicationId, iss: acme.issuer });
      const { body } = await client.get("/.well-known/jwks.json");
      expect(body.keys).toHaveLength(1);
      const { tokens } = await app.signedIn();
      expect((await client.bearer(tokens.accessToken).get("/v1/auth/session")).code).toBe("application_mismatch");
      expect(
        (await client.with({ "x-application-id": app.applicationId }).post("/v1/auth/login", user.login)).code,
      ).toBe("unknown_application");
    },
    { settings: { tenant_hosts: ["login.acme.example=acme"] } },
  );

  t.test(
    "once disabled, allows no sign-in and refuses its old tokens of every kind at once (ASVS 8.3.2)",
    async (app) => {
      const { user, tokens } = await app.signedIn();
      const key = await app.newSecretKey();
      expect((await app.client().bearer(tokens.accessToken).get("/v1/auth/session")).status).toBe(200);
      await app.disable("applications", app.applicationId);
      expect((await app.client().bearer(tokens.accessToken).get("/v1/auth/session")).code).toBe("token_revoked");
      const refreshed = await app.client().post("/v1/auth/refresh", { refresh_token: tokens.refreshToken });
      expect(refreshed.code).toBe("token_revoked");
      expect((await app.client().bearer(key).get("/v1/users")).code).toBe("invalid_credentials");
      const login = await app.client({ "x-application-id": app.applicationId }).post("/v1/auth/login", user.login);
      expect(login.code).toBe("unknown_application");
      expect((await app.client().get(`/v1/applications/${app.applicationId}/.well-known/jwks.json`)).status).toBe(404);
    },
  );

  t.test("is refused within two seconds after another process disables it", async (app) => {
    const { tokens } = await app.signedIn();
    const session = () => app.client().bearer(tokens.accessToken).get("/v1/auth/session");
    expect((await session()).status).toBe(200);
    await app.storage.write(async (tx) => {
      const disabled_at = app.clock.now();
      await tx.kysely.updateTable("applications").set({ disabled_at }).where("id", "=", app.applicationId).execute();
    });
    app.clock.advance(2_001);
    expect((await session()).code).toBe("token_revoked");
  });

  t.test("refuses a disabled user's old tokens of every kind at once (ASVS 7.4.2)", async (app) => {
    const { user, tokens } = await app.signedIn();
    await app.disable("users", user.id);
    expect((await app.client().bearer(tokens.accessToken).get("/v1/auth/session")).code).toBe("token_revoked");
    const refreshed = await app.client().post("/v1/auth/refresh", { refresh_token: tokens.refreshToken });
    expect(refreshed.code).toBe("token_revoked");
    const login = await app.client().post("/v1/auth/login", user.login);
    expect(login.code).toBe("invalid_credentials");
  });
});
