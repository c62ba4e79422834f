import { expect } from "bun:test";
import { claimUser } from "../../../src/identity/users/store.ts";
import type { TestApp } from "../../support/app.ts";
import { backend } from "../../support/management.ts";
import { allowAnonymous, anonymousUser } from "../../support/own-affairs.ts";
import { scenarios } from "../../support/scenarios.ts";
import { newKey, sign } from "../../support/signed.ts";
import { APP_ORIGIN } from "../../support/template.ts";
import { claimsOf } from "../../support/tokens.ts";

const PROXIED = { trusted_proxies: ["127.0.0.1/32"] };

const users = (app: TestApp) => app.storage.read.kysely.selectFrom("users").selectAll().orderBy("id").execute();
const setApplication = async (app: TestApp, id: string, changes: Record<string, unknown>) => {
  await app.storage.write(async ({ kysely }) => {
    await kysely.updateTable("applications").set(changes).where("id", "=", id).execute();
  });
  app.forget();
};

scenarios("POST /v1/auth/anonymous", (t) => {
  t.test("creates a user with only an id and metadata, and signs the user in", async (app) => {
    await allowAnonymous(app);
    const { status, body } = await anonymousUser(app, { theme: "dark" });
    expect([status, body.status, body.token_type]).toEqual([201, "success", "Bearer"]);
    expect(body.user as unknown).toMatchObject({
      external_id: null,
      email: null,
      email_verified: false,
      display_name: null,
      is_anonymous: true,
      metadata: { theme: "dark" },
    });
    const claims = claimsOf(body.access_token);
    expect(claims).toMatchObject({
      sub: body.user.id,
      azp: app.applicationId,
      aal: "aal1",
      auth_method: "anonymous",
      amr: [],
      scope: "account",
    });
    for (const name of ["email", "email_verified"]) expect(name in claims).toBe(false);
    expect(await app.audit()).toEqual(["user.created", "session.created"]);
    expect((await app.auditEntries())[0]).toMatchObject({ actor_id: body.user.id, details: '{"method":"anonymous"}' });
  });

  t.test("is refused unless the application allows the method, and creates no user", async (app) => {
    const acme = await app.tenant("acme");
    const before = await app.state();
    const refused = await anonymousUser(app);
    expect([refused.status, refused.code]).toEqual([403, "forbidden"]);
    expect(await app.state()).toBe(before);
    await setApplication(app, app.applicationId, { sign_in_methods: '["anonymous"]' });
    expect((await anonymousUser(app)).status).toBe(201);
    for (const client of [app.client(), app.client({ "x-application-id": acme.applicationId })]) {
      expect((await client.post("/v1/auth/anonymous")).code).toBe("forbidden");
    }
    expect((await app.client().post("/t/acme/v1/auth/anonymous")).code).toBe("forbidden");
    const beside = app.client({ "x-application-id": app.applicationId });
    expect((await beside.post("/t/acme/v1/auth/anonymous")).code).toBe("unknown_application");
  });

  t.test("takes metadata of the right size and nothing else (mass assignment)", async (app) => {
    await allowAnonymous(app);
    const client = app.client();
    const before = await app.state();
    const nested = JSON.parse(`${'{"a":'.repeat(9)}1${"}".repeat(9)}`);
    const bad: unknown[] = [
      { metadata: { a: "x".repeat(8 * 1024) } },
      { metadata: nested },
      { metadata: [] },
      { metadata: null },
      { delivery: "body" },
      [],
      "x",
    ];
    for (const key of [
      "email",
      "id",
      "user_id",
      "external_id",
      "is_anonymous",
      "private_metadata",
      "aal",
      "amr",
      "audience",
      "scope",
      "display_name",
    ]) {
      bad.push({ [key]: "aal2" });
    }
    for (const json of bad) {
      const answer = await client.post("/v1/auth/anonymous", json);
      expect([JSON.stringify(json).slice(0, 60), answer.code]).toEqual([
        JSON.stringify(json).slice(0, 60),
        "invalid_input",
      ]);
    }
    expect(await app.state()).toBe(before);
    const body = '{"metadata":{"__proto__":{"polluted":true},"constructor":1}}';
    const made = await client.post("/v1/auth/anonymous", {}, { body, headers: { "content-type": "application/json" } });
    expect([201, 400]).toContain(made.status);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  t.test(
    "counts by network (IPv6 by the /64), apart from sign-ups and from other networks (ASVS 6.3.1)",
    async (app) => {
      await allowAnonymous(app);
      const from = async (address: string) =>
        (await app.client({ "x-forwarded-for": address }).post("/v1/auth/anonymous")).status;
      expect([await from("203.0.113.1"), await from("203.0.113.1"), await from("203.0.113.1")]).toEqual([
        201, 201, 429,
      ]);
      expect([await from("2001:db8::1"), await from("2001:db8::2"), await from("2001:db8::3")]).toEqual([
        201, 201, 429,
      ]);
      expect(await from("203.0.113.2")).toBe(201);
      const register = { email: "ada@example.com", password: "walnut-bridge-otter-51" };
      const signUp = app.client({ "x-forwarded-for": "203.0.113.1" }).post("/v1/auth/register", register);
      expect((await signUp).status).toBe(201);
      // A forwarding backend is counted by the address that it forwards for.
      const forwarding = backend(app, await app.newSecretKey({ scopes: ["forward"] }));
      const speak = async (address: string) =>
        (await forwarding.with({ "x-client-address": address }).post("/v1/auth/anonymous")).status;
      expect([await speak("198.51.100.1"), await speak("198.51.100.1"), await speak("198.51.100.1")]).toEqual([
        201, 201, 429,
      ]);
      app.clock.advance(30 * 60_000);
      expect(await from("203.0.113.1")).toBe(201);
      expect((await users(app)).length).toBe(9);
    },
    { settings: { limit_anonymous: "2/1h", ...PROXIED } },
  );

  t.test("twenty requests at once create twenty people", async (app) => {
    await allowAnonymous(app);
    const answers = await Promise.all(Array.from({ length: 20 }, () => anonymousUser(app)));
    expect(new Set(answers.map(({ body }) => body.user.id)).size).toBe(20);
  });

  t.test("a page gets cookies, never the refresh token in the body; a foreign page gets nothing", async (app) => {
    await allowAnonymous(app);
    const page = app.page(APP_ORIGIN, { "x-application-id": app.applicationId });
    const made = await page.post("/v1/auth/anonymous");
    expect([made.status, made.body.refresh_token, made.cookies.length]).toEqual([201, null, 2]);
    expect((await page.get("/v1/auth/session")).body.user.id).toBe(made.body.user.id);
    expect((await page.post("/v1/auth/refresh")).body.user.is_anonymous).toBe(true);
    const memory = app.page(APP_ORIGIN, { "x-application-id": app.applicationId });
    expect((await memory.post("/v1/auth/anonymous", { delivery: "memory" })).cookies).toHaveLength(1);
    const before = await app.state();
    const foreign = app.page("https://evil.example", { "x-application-id": app.applicationId });
    expect((await foreign.post("/v1/auth/anonymous")).code).toBe("origin_not_allowed");
    expect(await app.state()).toBe(before);
  });
});

scenarios("an anonymous session", (t) => {
  t.test("is refreshed, listed, shown and ended like any other", async (app) => {
    await allowAnonymous(app);
    const { body } = await anonymousUser(app, { cart: [1] });
    const refreshed = await app.client().post("/v1/auth/refresh", { refresh_token: body.refresh_token });
    expect([refreshed.status, refreshed.body.user.id]).toEqual([200, body.user.id]);
    const client = app.client().bearer(refreshed.body.access_token);
    const listed = await client.get("/v1/auth/sessions");
    expect(listed.body.data).toMatchObject([{ auth_method: "anonymous", amr: [], current: true }]);
    expect((await client.patch("/v1/me", { metadata: { theme: "dark" } })).body as unknown).toMatchObject({
      is_anonymous: true,
      metadata: { cart: [1], theme: "dark" },
    });
    expect((await client.get("/v1/me/security")).body as unknown).toEqual({
      password: null,
      totp: null,
      recovery_codes_left: 0,
      passkeys: 0,
      trusted_devices: 0,
      emails: 0,
    });
    expect((await client.post("/v1/auth/logout")).status).toBe(200);
    expect((await client.get("/v1/me")).code).toBe("token_revoked");
    expect((await app.client().post("/v1/auth/refresh", { refresh_token: refreshed.body.refresh_token })).code).toBe(
      "token_revoked",
    );
  });

  t.test("opens no procedure that needs a password or an address, and no other account", async (app) => {
    await allowAnonymous(app);
    const { body } = await anonymousUser(app);
    const client = app.client().bearer(body.access_token);
    const before = await app.state();
    const change = { current_password: "", new_password: "granite-lantern-moth-88" };
    for (const current of ["x", "null", "undefined"]) {
      const answer = await client.post("/v1/auth/password/change", { ...change, current_password: current });
      expect([current, answer.code]).toEqual([current, "invalid_credentials"]);
    }
    for (const email of ["", "null", body.user.id, `${body.user.id}@example.com`]) {
      const answer = await app.client().post("/v1/auth/login", { email, password: "x" });
      expect([email, answer.status === 401 || answer.status === 400]).toEqual([email, true]);
    }
    expect((await client.get("/v1/users")).status).toBe(401);
    expect(await app.state()).toBe(before);
  });

  t.test("is not asked for a second factor, whatever the application asks of others", async (app) => {
    await allowAnonymous(app);
    await setApplication(app, app.applicationId, { mfa: "required", mfa_required_at: 0 });
    expect((await anonymousUser(app)).body.status).toBe("success");
  });

  t.test("signing in to another account merges nothing: both accounts stay as they were", async (app) => {
    await allowAnonymous(app);
    const ada = await app.user("ada@example.com");
    await backend(app).patch(`/v1/users/${ada.id}`, { metadata: { plan: "pro" } });
    const before = (await users(app)).find(({ id }) => id === ada.id);
    const page = app.page(APP_ORIGIN, { "x-application-id": app.applicationId });
    const guest = await page.post("/v1/auth/anonymous", { metadata: { plan: "stolen", admin: true } });
    const signedIn = await page.post("/v1/auth/login", ada.login);
    expect(signedIn.body.user as unknown).toMatchObject({
      id: ada.id,
      is_anonymous: false,
      metadata: { plan: "pro" },
    });
    const rows = await users(app);
    expect(rows.find(({ id }) => id === ada.id)).toEqual(before);
    expect(rows.find(({ id }) => id === guest.body.user.id)).toMatchObject({
      is_anonymous: 1,
      public_metadata: '{"plan":"stolen","admin":true}',
    });
    // The browser holds one session: the sign-in ended the guest's.
    expect((await app.client().bearer(guest.body.access_token).get("/v1/me")).code).toBe("token_revoked");
    // A new guest beside an account is a new user.
    const again = await page.post("/v1/auth/anonymous");
    expect([ada.id, guest.body.user.id]).not.toContain(again.body.user.id);
  });

  t.test(
    "a claimed person keeps id, metadata and session, and is asked for the same factors as others",
    async (app) => {
      await allowAnonymous(app);
      const { body } = await anonymousUser(app, { cart: [1] });
      app.clock.advance(700_000);
      await app.storage.write((tx) => claimUser(tx, body.user.id, app.clock.now()));
      const client = app.client().bearer(body.access_token);
      expect((await client.get("/v1/me")).body as unknown).toMatchObject({
        id: body.user.id,
        is_anonymous: false,
        metadata: { cart: [1] },
      });
      expect((await client.delete("/v1/me")).code).toBe("insufficient_user_authentication");
    },
  );
});

scenarios("the mark of an anonymous user", (t) => {
  t.test("is not on users that a backend creates or signs for, or on those of a public key", async (app) => {
    await allowAnonymous(app);
    await backend(app).post("/v1/users", {});
    const signed = app.client().bearer(await sign(app, await newKey(app, "signing")));
    const publicKey = await newKey(app, "public");
    const path = `/v1/tenants/${app.tenantId}/issuers/public/auth/token`;
    const authorization = `Basic ${btoa(`api_key:${publicKey.id}`)}`;
    const token = (await app.client({ authorization }).post(path, { user_id: "42" })).body.access_token;
    for (const client of [signed, app.client().bearer(token)]) {
      expect((await client.get("/v1/me")).body as unknown).toMatchObject({ is_anonymous: false, email: null });
    }
    expect((await users(app)).map(({ is_anonymous }) => is_anonymous)).toEqual([0, 0, 0]);
  });

  t.test("lets GET /v1/users list anonymous users or all others, by pages, and no backend can set it", async (app) => {
    await allowAnonymous(app);
    const guests = [(await anonymousUser(app)).body.user.id];
    const person = await app.user("ada@example.com");
    guests.push((await anonymousUser(app)).body.user.id);
    const gone = (await anonymousUser(app)).body.user.id;
    await backend(app).delete(`/v1/users/${gone}`);
    const list = async (query: string) => (await backend(app).get(`/v1/users${query}`)).body;
    const ids = async (query: string) => (await list(query)).data.map(({ id }) => id);
    expect(await ids("?anonymous=true")).toEqual(guests);
    expect(await ids("?anonymous=false")).toEqual([person.id]);
    expect(await ids("?anonymous=false&email=ada@example.com")).toEqual([person.id]);
    expect(await ids("?anonymous=true&email=ada@example.com")).toEqual([]);
    expect(await ids("?anonymous=true&search=a")).toEqual([]);
    const page = await list("?anonymous=true&limit=1");
    expect([page.data[0]?.id, page.data[0]?.is_anonymous]).toEqual([guests[0] ?? "", true]);
    expect(await ids(`?anonymous=true&cursor=${page.next_cursor}`)).toEqual(guests.slice(1));
    for (const value of ["1", "yes", "", "TRUE"]) {
      expect([value, (await backend(app).get(`/v1/users?anonymous=${value}`)).code]).toEqual([value, "invalid_input"]);
    }
    const rpc = await backend(app).query("users.list", { anonymous: true });
    expect((JSON.parse(rpc.text) as { result: { data: { data: unknown[] } } }).result.data.data).toHaveLength(2);
    expect((await backend(app).patch(`/v1/users/${person.id}`, { is_anonymous: true })).code).toBe("invalid_input");
    expect((await backend(app).post("/v1/users", { is_anonymous: true })).code).toBe("invalid_input");
  });
});
