import { expect } from "bun:test";
import { SignJWT } from "jose";
import { DAY, HOUR, MINUTE } from "../../../src/core/clock.ts";
import { toPrefixedId } from "../../../src/core/ids.ts";
import type { WireUser } from "../../../src/identity/users/wire.ts";
import { proceduresOf } from "../../../src/rpc/invoke.ts";
import type { TestApp } from "../../support/app.ts";
import { backend, fields } from "../../support/management.ts";
import { scenarios, sqliteScenarios } from "../../support/scenarios.ts";
import { newKey, type SigningKey, sign } from "../../support/signed.ts";

const me = (app: TestApp, token: string) => app.client().bearer(token).get("/v1/me");
const seconds = (app: TestApp) => Math.floor(app.clock.now() / 1_000);

scenarios("tokens that the customer signs", (t) => {
  t.test("act as the user with that external id, who is created at the first request", async (app) => {
    const key = await newKey(app, "signing");
    const seen = new Set<string>();
    for (const identity of ["42", "user|42", "acme|42", " 42", "Ω≈ç"]) {
      const caller = app.client().bearer(await sign(app, key, { identity }));
      const first = await caller.get("/v1/auth/session");
      expect(first.body as unknown).toEqual({
        user: expect.objectContaining({ external_id: identity, email: null }),
        session: null,
        organization: null,
        application: { id: app.applicationId, name: "My application", type: "web" },
      });
      expect((await caller.get("/v1/me")).body.id).toBe(first.body.user.id);
      expect((await caller.query("me.get")).status).toBe(200);
      seen.add(first.body.user.id);
    }
    expect(seen.size).toBe(5);
    const created = (await app.auditEntries()).filter(({ action }) => action === "user.created");
    expect(created.map(({ actor_kind, actor_id }) => [actor_kind, actor_id])).toEqual(
      [...seen].map(() => ["key", key.id]),
    );
  });

  t.test("find a user that the backend created, and change the profile and the metadata", async (app) => {
    const key = await newKey(app, "signing");
    const made = await backend(app).post("/v1/users", {
      external_id: "42",
      display_name: "Ada",
      metadata: { plan: "free", theme: "light" },
      private_metadata: { score: 1 },
    });
    const caller = app.client().bearer(await sign(app, key));
    expect((await me(app, await sign(app, key))).body.id).toBe(made.body.id);
    const changed = await caller.patch("/v1/me", { display_name: "Ada L.", metadata: { theme: null, size: { w: 1 } } });
    expect(changed.body as unknown).toMatchObject({
      display_name: "Ada L.",
      metadata: { plan: "free", size: { w: 1 } },
    });
    expect(changed.text).not.toContain("score");
    expect(fields<WireUser>(await caller.patch("/v1/me", {})).display_name).toBe("Ada L.");
    for (const wrong of [
      { external_id: "43" },
      { private_metadata: {} },
      { email: "a@example.com" },
      { display_name: "a\0" },
      { metadata: { big: "x".repeat(9_000) } },
    ]) {
      expect((await caller.patch("/v1/me", wrong)).code).toBe("invalid_input");
    }
    const { tokens, user } = await app.signedIn();
    const own = await app.client().bearer(tokens.accessToken).patch("/v1/me", { display_name: "Grace" });
    expect([own.status, own.body.id, fields<WireUser>(own).display_name]).toEqual([200, user.id, "Grace"]);
    expect((await app.auditEntries()).at(-1)).toMatchObject({ action: "user.changed", actor_kind: "user" });
  });

  t.test("are accepted in every documented form: both cty values, three hashes, both forms of the ids", async (app) => {
    const key = await newKey(app, "signing");
    const prefixed = { iss: toPrefixedId("apiKey", key.id), sub: toPrefixedId("tenant", app.tenantId) };
    for (const changes of [
      { header: { cty: "parra-fpa;v=1" } },
      { header: { alg: "HS384" } },
      { header: { alg: "HS512" } },
      { header: { kid: "whatever" } },
      { claims: prefixed },
      { claims: { exp: seconds(app) + 3_660, iat: seconds(app), nbf: seconds(app) + 60, extra: 1 } },
    ]) {
      expect([changes, (await me(app, await sign(app, key, changes))).status]).toEqual([changes, 200]);
    }
  });

  t.test("are refused with any deviation", async (app) => {
    const key = await newKey(app, "signing");
    const acme = await app.tenant("acme");
    const foreign = await newKey(app, "signing", acme.secretKey);
    const publicKey = await newKey(app, "public");
    const own = (await app.signedIn()).tokens.accessToken;
    const now = seconds(app);
    type Changes = Parameters<typeof sign>[2];
    const cases: [string, SigningKey, Changes, string?][] = [
      ["another tenant's key", foreign, {}],
      ["another tenant's key under this iss", { ...foreign, id: key.id }, {}],
      ["this key for another tenant", key, { claims: { sub: acme.id } }],
      ["a public key's id", { id: publicKey.id, secret: key.secret }, {}],
      ["an unknown key", { id: app.tenantId, secret: key.secret }, {}],
      ["a secret key as HMAC key", { id: key.id, secret: app.secretKey }, {}],
      ["its own id as HMAC key", { id: key.id, secret: key.id }, {}],
      ["cut secret", { id: key.id, secret: key.secret.slice(0, -1) }, {}],
      ["no typ", key, { header: { typ: undefined } }],
      ["typ at+jwt", key, { header: { typ: "at+jwt" } }],
      ["no cty", key, { header: { cty: undefined } }],
      ["other cty", key, { header: { cty: "sallyport-fpa;v=2" } }],
      ["cty of the public issuer", key, { header: { cty: "sallyport-public;v=1" } }],
      ["exp in the past", key, { claims: { exp: now } }, "token_expired"],
      ["exp too far", key, { claims: { exp: now + 3_662 } }],
      ["exp in milliseconds", key, { claims: { exp: (now + 60) * 1_000 } }],
      ["no exp", key, { claims: { exp: undefined } }],
      ["exp as a string", key, { claims: { exp: String(now + 60) } }],
      ["nbf ahead", key, { claims: { nbf: now + 120 } }],
      ["iss a number", key, { claims: { iss: 1 } }],
      ["no sub", key, { claims: { sub: undefined } }],
      ["no grants", key, { claims: { grants: undefined } }],
      ["grants a string", key, { claims: { grants: "42" } }],
      ["grants a list", key, { claims: { grants: ["42"] } }],
      ["identity a number", key, { identity: 42 }],
      ["identity empty", key, { identity: "" }],
      ["identity null", key, { identity: null }],
      ["identity a list", key, { identity: ["42"] }],
      ["identity with a NUL", key, { identity: "4\0" }],
      ["identity too long", key, { identity: "x".repeat(256) }],
      ["identity inherited", key, { claims: { grants: { __proto__: null, constructor: "x" } } }],
    ];
    const before = await app.state();
    for (const [what, signer, changes, code = "authentication_required"] of cases) {
      const answer = await me(app, await sign(app, signer, changes));
      expect([what, answer.status, answer.code]).toEqual([what, 401, code]);
    }
    // Algorithm confusion in both directions: our kid under HMAC, an asymmetric signature under this profile, and `none`.
    const { publicKey: jwk, privateKey } = await crypto.subtle.generateKey({ name: "Ed25519" }, true, [
      "sign",
      "verify",
    ]);
    const claims = { iss: key.id, sub: app.tenantId, exp: now + 60, grants: { identity: "42" } };
    const header = { typ: "JWT", cty: "sallyport-fpa;v=1" };
    const [ownHeader = "", ownPayload = "", ownSignature = ""] = own.split(".");
    const withCty = JSON.stringify({ ...JSON.parse(Buffer.from(ownHeader, "base64url").toString()), cty: header.cty });
    const published = JSON.stringify((await app.client().get("/oauth2/jwks")).body.keys[0]);
    const forged = [
      await new SignJWT(claims).setProtectedHeader({ ...header, alg: "EdDSA" }).sign(privateKey),
      `${btoa(JSON.stringify({ ...header, alg: "none" })).replaceAll("=", "")}.${ownPayload}.AA`,
      `${Buffer.from(withCty).toString("base64url")}.${ownPayload}.${ownSignature}`,
      await new SignJWT(claims)
        .setProtectedHeader({ ...header, alg: "HS256" })
        .sign(new TextEncoder().encode(published)),
      await new SignJWT(JSON.parse(Buffer.from(ownPayload, "base64url").toString()))
        .setProtectedHeader({ ...JSON.parse(Buffer.from(ownHeader, "base64url").toString()), alg: "HS256" })
        .sign(new TextEncoder().encode(key.secret)),
    ];
    expect(jwk.type).toBe("public");
    for (const [index, token] of forged.entries()) expect([index, (await me(app, token)).status]).toEqual([index, 401]);
    expect(await app.state()).toBe(before);
    const mismatch = app.client({ "x-application-id": app.defaultApplicationId }).bearer(await sign(app, key));
    expect((await mismatch.get("/v1/me")).code).toBe("application_mismatch");
    const elsewhere = app.client().bearer(await sign(app, key));
    expect((await elsewhere.get("/t/acme/v1/me")).code).toBe("application_mismatch");
  });

  t.test("end with the key, and both secrets of a rotated key work during the overlap", async (app) => {
    const key = await newKey(app, "signing");
    const rotated = await backend(app).post(`/v1/api-keys/${key.id}/rotate`, { overlap_seconds: 600 });
    const next = { id: key.id, secret: rotated.body.secret ?? "" };
    for (const one of [key, next]) expect((await me(app, await sign(app, one))).status).toBe(200);
    app.clock.advance(11 * MINUTE);
    expect((await me(app, await sign(app, key))).code).toBe("authentication_required");
    const token = await sign(app, next);
    expect((await me(app, token)).status).toBe(200);
    await backend(app).delete(`/v1/api-keys/${key.id}`);
    expect((await me(app, token)).code).toBe("token_revoked");
    expect((await me(app, await sign(app, next, { identity: "43" }))).code).toBe("token_revoked");
  });

  t.test("do not recreate a deleted user and are refused for a disabled user", async (app) => {
    const key = await newKey(app, "signing");
    const user = (await me(app, await sign(app, key))).body;
    await backend(app).delete(`/v1/users/${user.id}`);
    for (let i = 0; i < 2; i++) expect((await me(app, await sign(app, key))).code).toBe("token_revoked");
    const other = (await me(app, await sign(app, key, { identity: "43" }))).body;
    await app.disable("users", other.id);
    expect((await me(app, await sign(app, key, { identity: "43" }))).code).toBe("token_revoked");
    const rows = await app.storage.read.kysely.selectFrom("users").select("external_id").execute();
    expect(rows.map((row) => row.external_id).sort()).toEqual(["42", "43"]);
    await app.disable("applications", app.applicationId);
    expect((await me(app, await sign(app, key, { identity: "44" }))).code).toBe("token_revoked");
  });

  t.test("of a clock that is ahead are refused with the reason, and those of some seconds are good", async (app) => {
    const key = await newKey(app, "signing");
    const ahead = async (by: number) => me(app, await sign(app, key, { claims: { iat: seconds(app) + by } }));
    expect((await ahead(30)).status).toBe(200);
    expect((await ahead(120)).body.error.message).toContain("set the clock");
  });

  t.test("create one user from twenty simultaneous first requests", async (app) => {
    const key = await newKey(app, "signing");
    const token = await sign(app, key, { identity: "race" });
    const answers = await Promise.all(Array.from({ length: 20 }, () => me(app, token)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1);
    expect((await app.audit()).filter((action) => action === "user.created").length).toBe(1);
  });

  t.test("are refused by every procedure that does not declare them", async (app) => {
    const key = await newKey(app, "signing");
    await me(app, await sign(app, key));
    const caller = app.client().bearer(await sign(app, key));
    const id = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";
    for (const [name, procedure] of Object.entries(proceduresOf(app.app.router))) {
      const { meta, type } = procedure._def;
      if (!meta || meta.access.kind === "public" || meta.access.kind === "end-user") continue;
      const input = INPUTS[name] ?? { id };
      const answer = type === "query" ? await caller.query(name, input) : await caller.mutate(name, input);
      expect([name, answer.status]).toEqual([name, 401]);
    }
  });
});

/** These procedures read their input before they ask for a session. */
const INPUTS: Record<string, object> = {
  "auth.logout": {},
  "auth.email.proof": {},
  "auth.mfa.setup": {},
  "auth.mfa.enable": { code: "000000" },
  "auth.mfa.challenge": {},
  "auth.mfa.verify": { method: "totp", code: "000000" },
};

scenarios("the public issuer", (t) => {
  const ask = (app: TestApp, keyId: string, body: unknown = { user_id: "42" }, tenant: string = app.tenantId) =>
    app
      .client({ authorization: `Basic ${btoa(`api_key:${keyId}`)}` })
      .post(`/v1/tenants/${tenant}/issuers/public/auth/token`, body);

  t.test("issues a token that can read, for a user in a separate name space", async (app) => {
    const key = await newKey(app, "public");
    const other = await newKey(app, "public");
    const signing = await newKey(app, "signing");
    const made = await ask(
      app,
      toPrefixedId("apiKey", key.id),
      { user_id: "42" },
      toPrefixedId("tenant", app.tenantId),
    );
    expect([made.status, Object.keys(made.body)]).toEqual([200, ["access_token"]]);
    const token = made.body.access_token;
    const user = (await me(app, token)).body;
    expect(user).toMatchObject({ external_id: null, email: null });
    expect((await app.client().bearer(token).get("/v1/auth/session")).body.session).toBeNull();
    expect((await app.client().bearer(token).patch("/v1/me", { display_name: "x" })).code).toBe("insufficient_scope");
    expect((await me(app, (await ask(app, key.id)).body.access_token)).body.id).toBe(user.id);
    const elsewhere = (await me(app, (await ask(app, other.id)).body.access_token)).body.id;
    const signed = (await me(app, await sign(app, signing))).body.id;
    expect(new Set([user.id, elsewhere, signed]).size).toBe(3);
    app.clock.advance(HOUR);
    expect((await me(app, token)).code).toBe("token_expired");
  });

  t.test("accepts only a live public key of that tenant, and exactly one field", async (app) => {
    const key = await newKey(app, "public");
    const signing = await newKey(app, "signing");
    const acme = await app.tenant("acme");
    const foreign = await newKey(app, "public", acme.secretKey);
    const revoked = await newKey(app, "public");
    const live = (await ask(app, revoked.id)).body.access_token;
    await backend(app).delete(`/v1/api-keys/${revoked.id}`);
    expect((await me(app, live)).code).toBe("token_revoked");
    for (const [what, id] of [
      ["unknown", app.tenantId],
      ["a signing key", signing.id],
      ["another tenant's", foreign.id],
      ["revoked", revoked.id],
      ["no id", "key"],
      ["a secret", app.secretKey],
    ] as const) {
      expect([what, (await ask(app, id)).code]).toEqual([what, "invalid_credentials"]);
    }
    expect((await ask(app, key.id, { user_id: "1" }, acme.id)).code).toBe("invalid_credentials");
    expect((await ask(app, key.id, { user_id: "1" }, "nothing")).code).toBe("invalid_input");
    expect((await ask(app, foreign.id, { user_id: "1" }, acme.id)).status).toBe(200);
    for (const body of [
      {},
      { user_id: 42 },
      { user_id: "" },
      { user_id: "1", scope: "account" },
      [],
      "42",
      { user_id: "\0" },
    ]) {
      expect([body, (await ask(app, key.id, body)).code]).toEqual([body, "invalid_input"]);
    }
    const path = `/v1/tenants/${app.tenantId}/issuers/public/auth/token`;
    for (const authorization of [undefined, `Basic ${btoa(`apikey:${key.id}`)}`, `Bearer ${app.secretKey}`]) {
      const answer = await app.client(authorization ? { authorization } : {}).post(path, { user_id: "1" });
      expect([answer.code, answer.headers.get("www-authenticate")]).toEqual([
        "authentication_required",
        'Basic realm="public"',
      ]);
    }
    const page = await app
      .page(undefined, { authorization: `Basic ${btoa(`api_key:${key.id}`)}` })
      .post(path, { user_id: "1" });
    expect(page.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
  });

  t.test("refuses a user who has an address, because its users have no credentials", async (app) => {
    const key = await newKey(app, "public");
    const token = (await ask(app, key.id)).body.access_token;
    const { id } = (await me(app, token)).body;
    const person = await app.user();
    await app.storage.write(async (tx) => {
      await tx.kysely.updateTable("user_emails").set({ user_id: id }).where("user_id", "=", person.id).execute();
    });
    expect((await me(app, token)).code).toBe("authentication_required");
  });

  t.test("keeps its users apart from the customer's own: none gets an external id", async (app) => {
    const key = await newKey(app, "public");
    const signing = await newKey(app, "signing");
    const token = (await ask(app, key.id, { user_id: "guest" })).body.access_token;
    const { id } = (await me(app, token)).body;
    const refused = await backend(app).patch(`/v1/users/${id}`, { external_id: "user|42" });
    expect([refused.status, refused.code]).toEqual([409, "conflict"]);
    expect(refused.body.error.details as unknown).toMatchObject([{ path: "external_id" }]);
    expect((await backend(app).patch(`/v1/users/${id}`, { external_id: null, display_name: "Guest" })).status).toBe(
      200,
    );
    const own = (await me(app, await sign(app, signing))).body;
    expect((await backend(app).patch(`/v1/users/${own.id}`, { external_id: "user|43" })).status).toBe(200);
    // Data of before this rule: the token of anyone must not act for the customer's user.
    await app.storage.write(async (tx) => {
      await tx.kysely.updateTable("users").set({ external_id: "user|42" }).where("id", "=", id).execute();
    });
    expect((await me(app, token)).code).toBe("authentication_required");
  });

  t.test(
    "counts requests by network and by key",
    async (app) => {
      const [key, other] = [await newKey(app, "public"), await newKey(app, "public")];
      const statuses: number[] = [];
      for (const one of [key, key, key, other, other]) statuses.push((await ask(app, one.id)).status);
      expect(statuses).toEqual([200, 200, 429, 200, 429]);
      app.clock.advance(DAY);
      expect((await ask(app, key.id)).status).toBe(200);
    },
    { settings: { limit_public_key: "2/1h", limit_public_network: "4/1h" } },
  );
});

sqliteScenarios("access of customer tokens", (t) => {
  t.test("only these procedures accept end users, and a public token changes nothing", async (app) => {
    const listed = Object.entries(proceduresOf(app.app.router)).flatMap(([name, { _def }]) =>
      _def.meta?.access.kind === "end-user" ? [[name, _def.meta.access.scope, _def.type]] : [],
    );
    expect(listed.toSorted()).toEqual([
      ["auth.session", "public", "query"],
      ["me.get", "public", "query"],
      ["me.update", "account", "mutation"],
    ]);
  });
});
