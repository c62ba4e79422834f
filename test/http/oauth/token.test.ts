import { expect } from "bun:test";
import { createLocalJWKSet, decodeJwt, jwtVerify } from "jose";
import { toPrefixedId } from "../../../src/core/ids.ts";
import type { TestApp } from "../../support/app.ts";
import { addSecret, basic, dropSecret, form, grant, type Machine, machine, tokenOf } from "../../support/machines.ts";
import { scenarios } from "../../support/scenarios.ts";

const GRANT = { grant_type: "client_credentials" };
const ask = (app: TestApp, client: Machine, fields: Record<string, string> | string[][] | string = GRANT) =>
  form(app.client(), "/oauth2/token", fields, basic(client.id, client.secret));

scenarios("POST /oauth2/token", (t) => {
  t.test("gives an M2M client a token for both ways to authenticate (RFC 6749 section 4.4)", async (app) => {
    const client = await machine(app, { grants: { management: ["users:read", "users:write"] } });
    const body = { ...GRANT, client_id: toPrefixedId("application", client.id), client_secret: client.secret };
    for (const answer of [await ask(app, client), await form(app.client(), "/oauth2/token", body)]) {
      expect([answer.status, answer.headers.get("cache-control")]).toEqual([200, "no-store"]);
      const { access_token, ...rest } = answer.oauth;
      expect(rest as unknown).toEqual({ token_type: "Bearer", expires_in: 900, scope: "users:read users:write" });
      const keys = createLocalJWKSet((await app.client().get("/oauth2/jwks")).body as never);
      const { payload, protectedHeader } = await jwtVerify(access_token, keys, { currentDate: app.clock.date() });
      expect(protectedHeader).toMatchObject({ alg: "EdDSA", typ: "JWT" });
      const now = Math.floor(app.clock.now() / 1_000);
      expect(payload).toEqual({
        iss: app.publicUrl,
        sub: client.id,
        azp: client.id,
        aud: `${app.publicUrl}/management`,
        exp: now + 900,
        iat: now,
        jti: expect.any(String),
        secret_id: client.secretId,
        typ: "access",
        scope: "users:read users:write",
      });
    }
    expect((await app.audit()).filter((action) => action === "client.token_issued").length).toBe(2);
  });

  t.test("narrows the scope, and never widens it", async (app) => {
    const client = await machine(app, { grants: { management: ["users:read", "users:write"] } });
    expect(decodeJwt(await tokenOf(app, client, { scope: "users:write" })).scope).toBe("users:write");
    for (const scope of ["admin", "users:read admin", "users:read  users:write", 'users:read"', "forward"]) {
      const answer = await ask(app, client, { ...GRANT, scope });
      expect([scope, answer.status, answer.oauth.error]).toEqual([scope, 400, "invalid_scope"]);
    }
  });

  t.test("accepts only a granted target as audience and resource (RFC 8707)", async (app) => {
    const api = "https://api.example.com/orders";
    const client = await machine(app, { grants: { [api]: ["orders:read"] } });
    for (const fields of [{ audience: api }, { resource: api }, { audience: api, resource: api }]) {
      expect(decodeJwt(await tokenOf(app, client, fields))).toMatchObject({ aud: api, scope: "orders:read" });
    }
    const stranger = await machine(app, { grants: { "https://other.example": [] } });
    for (const [who, fields] of [
      [client, {}],
      [client, { audience: "management" }],
      [client, { audience: "https://unknown.example" }],
      [client, { resource: `${api}#x` }],
      [client, { resource: "/orders" }],
      [client, { audience: api, resource: "https://other.example" }],
      [client, { audience: `${api}\0` }],
      [stranger, { audience: api }],
    ] as const) {
      const answer = await ask(app, who, { ...GRANT, ...fields });
      expect([fields, answer.status, answer.oauth.error]).toEqual([fields, 400, "invalid_target"]);
    }
    expect(decodeJwt(await tokenOf(app, stranger, { audience: "https://other.example" })).scope).toBeUndefined();
    await expect(grant(app, client.id, "https://unknown.example", [])).rejects.toMatchObject({ code: "invalid_input" });
    await expect(grant(app, client.id, api, ["admin"])).rejects.toMatchObject({ code: "invalid_input" });
    await app.storage.write(async (tx) => {
      await tx.kysely.deleteFrom("api_resources").where("audience", "=", api).execute();
    });
    expect((await ask(app, client, { ...GRANT, audience: api })).oauth.error).toBe("invalid_target");
  });

  t.test("allows two secrets at a time for rotation, and refuses a third one and a revoked one", async (app) => {
    const client = await machine(app);
    const next = await addSecret(app, client.id);
    await expect(addSecret(app, client.id)).rejects.toMatchObject({ code: "conflict" });
    for (const secret of [client.secret, next.secret]) await tokenOf(app, { ...client, secret });
    await dropSecret(app, client.id, client.secretId);
    expect((await ask(app, client)).oauth.error).toBe("invalid_client");
    await tokenOf(app, { ...client, ...next });
    await addSecret(app, client.id);
    const rows = await app.storage.read.kysely.selectFrom("client_secrets").selectAll().execute();
    expect(rows.length).toBe(3);
    expect(JSON.stringify(rows)).not.toContain(next.secret);
  });

  t.test("gives the same answer for every wrong client, so that nobody learns which clients exist", async (app) => {
    const client = await machine(app);
    const other = await machine(app);
    const acme = await app.tenant("acme");
    const foreign = await machine(app, { tenantId: acme.id });
    const disabled = await machine(app);
    await app.disable("applications", disabled.id);
    const wrong: [string, Record<string, string>][] = [
      ["no credential", {}],
      ["wrong secret", basic(client.id, `${client.secret.slice(0, -1)}${client.secret.endsWith("x") ? "y" : "x"}`)],
      ["well-formed secret of another client", basic(client.id, other.secret)],
      ["another tenant's client", basic(foreign.id, foreign.secret)],
      ["disabled client", basic(disabled.id, disabled.secret)],
      ["unknown client", basic("018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f", client.secret)],
      ["no id at all", basic("client", client.secret)],
      ["a secret key", basic(app.applicationId, app.secretKey)],
      ["a secret key for the client", basic(client.id, app.secretKey)],
      ["a NUL", basic(`${client.id}\0`, client.secret)],
      ["not base64", { authorization: "Basic %%%" }],
      ["without a colon", { authorization: `Basic ${btoa(client.id)}` }],
      ["bad percent code", { authorization: `Basic ${btoa(`${client.id}:%ZZ`)}` }],
      ["Bearer secret key", { authorization: `Bearer ${app.secretKey}` }],
      ["Bearer M2M token", { authorization: `Bearer ${await tokenOf(app, client)}` }],
    ];
    const answers = new Set<string>();
    for (const [what, headers] of wrong) {
      const answer = await form(app.client(), "/oauth2/token", GRANT, headers);
      expect([what, answer.status, answer.oauth.error]).toEqual([what, 401, "invalid_client"]);
      expect(answer.headers.get("www-authenticate")).toBe(`Basic realm="${app.publicUrl}"`);
      answers.add(answer.text);
    }
    expect(answers.size).toBe(1);
    const own = await form(app.client(), "/t/acme/oauth2/token", GRANT, basic(foreign.id, foreign.secret));
    expect(decodeJwt(own.oauth.access_token)).toMatchObject({ iss: acme.issuer, aud: `${acme.issuer}/management` });
  });

  t.test("answers invalid_request to malformed requests, and unsupported_grant_type to other grants", async (app) => {
    const client = await machine(app);
    const both = { ...GRANT, client_id: client.id, client_secret: client.secret };
    const cases: [string, number, string, Parameters<typeof ask>[2], Record<string, string>?][] = [
      ["both ways at once", 400, "invalid_request", both],
      ["another client_id beside Basic", 400, "invalid_request", { ...GRANT, client_id: app.applicationId }],
      ["no grant_type", 400, "invalid_request", { scope: "users:read" }],
      ["empty grant_type", 400, "invalid_request", { grant_type: "" }],
      ["grant_type twice", 400, "invalid_request", [...Object.entries(GRANT), ...Object.entries(GRANT)]],
      ["scope twice", 400, "invalid_request", "grant_type=client_credentials&scope=users:read&scope=admin"],
      ["twice, once escaped", 400, "invalid_request", "grant_type=client_credentials&scope=users:read&%73cope=admin"],
      ["bad percent code", 400, "invalid_request", "grant_type=client_credentials&scope=%ZZ"],
      ["JSON", 400, "invalid_request", JSON.stringify(GRANT), { "content-type": "application/json" }],
      ["too long", 413, "invalid_request", `grant_type=client_credentials&x=${"x".repeat(70_000)}`],
      ["another application's header", 400, "invalid_request", GRANT, { "x-application-id": app.applicationId }],
      ["password", 400, "unsupported_grant_type", { grant_type: "password" }],
      ["authorization_code", 400, "unsupported_grant_type", { grant_type: "authorization_code", code: "x" }],
      ["refresh_token", 400, "unsupported_grant_type", { grant_type: "refresh_token", refresh_token: "x" }],
      ["capitals", 400, "unsupported_grant_type", { grant_type: "Client_Credentials" }],
    ];
    for (const [what, status, error, fields, headers = {}] of cases) {
      const sent = { ...basic(client.id, client.secret), ...headers };
      const answer = await form(app.client(), "/oauth2/token", fields ?? "", sent);
      expect([what, answer.status, answer.oauth.error]).toEqual([what, status, error]);
    }
    const unknown = await form(app.client(), "/t/nowhere/oauth2/token", GRANT, basic(client.id, client.secret));
    expect([unknown.status, unknown.oauth.error]).toEqual([404, "invalid_request"]);
    // RFC 6749 section 3.2: unknown parameters are ignored. A client_id that agrees does not count as a second way.
    expect((await ask(app, client, { ...GRANT, client_id: client.id, __proto__x: "1" })).status).toBe(200);
  });

  t.test(
    "limits tokens by client and network, and wrong secrets by network, but never the right secret",
    async (app) => {
      const client = await machine(app);
      for (let i = 0; i < 2; i++) await tokenOf(app, client);
      const third = await ask(app, client);
      expect([third.status, third.oauth.error]).toEqual([429, "temporarily_unavailable"]);
      expect(Number(third.headers.get("retry-after"))).toBeGreaterThan(0);
      const other = await machine(app);
      const guess = { ...other, secret: client.secret };
      const statuses: number[] = [];
      for (let i = 0; i < 4; i++) statuses.push((await ask(app, guess)).status);
      expect(statuses).toEqual([401, 401, 401, 429]);
      await tokenOf(app, other);
    },
    { settings: { limit_client: "2/1h", limit_client_failures: "3/1h" } },
  );
});

scenarios("an M2M token at the management API", (t) => {
  t.test("acts with its scopes until the scopes, the token or the client end", async (app) => {
    const client = await machine(app);
    const token = await tokenOf(app, client);
    const caller = app.client().bearer(token);
    expect((await caller.get("/v1/users")).status).toBe(200);
    expect((await caller.get("/v1/api-keys")).code).toBe("insufficient_scope");
    expect((await caller.query("users.list")).status).toBe(200);
    const other = app.client({ "x-application-id": app.applicationId }).bearer(token);
    expect((await other.get("/v1/users")).code).toBe("application_mismatch");
    expect((await caller.get("/t/default/v1/users")).status).toBe(200);
    await app.tenant("acme");
    expect((await caller.get("/t/acme/v1/users")).code).toBe("application_mismatch");

    await grant(app, client.id, "management", ["sessions:read"]);
    expect((await caller.get("/v1/users")).code).toBe("insufficient_scope");
    await grant(app, client.id, "management", ["users:read"]);
    expect((await caller.get("/v1/users")).status).toBe(200);

    await app.disable("applications", client.id);
    expect((await caller.get("/v1/users")).code).toBe("token_revoked");
  });

  t.test("is refused if it is for another audience or expired", async (app) => {
    const api = "https://api.example.com";
    const client = await machine(app, { grants: { management: ["admin"], [api]: ["admin"] } });
    const wrong = await tokenOf(app, client, { audience: api });
    expect((await app.client().bearer(wrong).get("/v1/users")).code).toBe("authentication_required");
    const late = await tokenOf(app, client);
    app.clock.advance(901_000);
    expect((await app.client().bearer(late).get("/v1/users")).code).toBe("token_expired");
  });

  t.test("is refused by every endpoint for users, as a user's token is by management", async (app) => {
    const client = await machine(app, { grants: { management: ["admin"] } });
    const caller = app.client().bearer(await tokenOf(app, client));
    for (const [method, path, json] of [
      ["GET", "/v1/auth/session", undefined],
      ["GET", "/v1/auth/sessions", undefined],
      ["DELETE", "/v1/auth/sessions", undefined],
      ["DELETE", `/v1/auth/sessions/${client.id}`, undefined],
      ["POST", "/v1/auth/logout", {}],
      ["POST", "/v1/auth/password/change", { current_password: "x", new_password: "plover-quartz-hinge-18" }],
    ] as const) {
      const answer = await caller.send(method, path, json === undefined ? {} : { json });
      expect([method, path, answer.status]).toEqual([method, path, 401]);
    }
    const { tokens } = await app.signedIn();
    expect((await app.client().bearer(tokens.accessToken).get("/v1/users")).code).toBe("authentication_required");
  });

  t.test("makes no key that lives longer than itself", async (app) => {
    const client = await machine(app, { grants: { management: ["api-keys:write", "users:read"] } });
    const caller = app.client().bearer(await tokenOf(app, client));
    const made = await caller.post("/v1/api-keys", { name: "short", scopes: ["users:read"] });
    const fields = made.body as unknown as Record<string, string>;
    expect([made.status, fields.application_id, fields.created_by]).toEqual([201, client.id, client.id]);
    expect(Date.parse(fields.expires_at ?? "")).toBeLessThanOrEqual(app.clock.now() + 900_000);
    expect((await app.auditEntries()).at(-1)).toMatchObject({ action: "api_key.created", actor_kind: "client" });
  });
});
