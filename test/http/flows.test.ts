import { expect } from "bun:test";
import type { TestApp } from "../support/app.ts";
import type { Answer, Client } from "../support/client.ts";
import { scenarios } from "../support/scenarios.ts";
import { APP_ORIGIN, PASSWORD } from "../support/template.ts";
import { claimsOf } from "../support/tokens.ts";

const NEXT = "granite-lantern-moth-88";

/** Makes every call of a user's first day once. `again` is the same caller after each answer that contained tokens. */
async function wholeDay(
  client: Client,
  authorise: (client: Client, answer: Answer) => Client,
  refreshBody: (answer: Answer) => object,
  /** Whether the caller sends its session when it signs in again, which ends that session (ASVS 7.2.4). */
  brings: boolean,
) {
  const email = "ada@example.com";
  const registered = await client.post("/v1/auth/register", { email, password: PASSWORD });
  expect(registered.status).toBe(201);
  const loggedIn = await client.post("/v1/auth/login", { email, password: PASSWORD });
  expect(loggedIn.status).toBe(200);
  let me = authorise(client, loggedIn);
  const session = await me.get("/v1/auth/session");
  expect(session.status).toBe(200);
  expect(session.body.session.id).toBe(claimsOf(loggedIn.body.access_token).sid as string);
  const list = await me.get("/v1/auth/sessions");
  expect(list.body.data.map(({ current }) => current)).toEqual(brings ? [true] : [false, true]);
  const refreshed = await client.post("/v1/auth/refresh", refreshBody(loggedIn));
  expect(refreshed.status).toBe(200);
  me = authorise(client, refreshed);
  const changed = await me.post("/v1/auth/password/change", { current_password: PASSWORD, new_password: NEXT });
  expect([changed.status, changed.body.status]).toEqual([200, "success"]);
  expect((await me.get("/v1/auth/sessions")).body.data).toHaveLength(1);
  const other = await client.post("/v1/auth/login", { email, password: NEXT });
  me = authorise(client, other);
  const ended = await me.delete("/v1/auth/sessions");
  expect(ended.body.ended).toBe(brings ? 0 : 1);
  const one = await me.delete(`/v1/auth/sessions/${claimsOf(other.body.access_token).sid}`);
  expect(one.status).toBe(200);
  const last = await client.post("/v1/auth/login", { email, password: NEXT });
  const out = await authorise(client, last).post("/v1/auth/logout");
  expect([out.status, out.body.status]).toEqual([200, "success"]);
  return { registered, refreshed, out, last };
}

const withBearer = (client: Client, answer: Answer) => client.bearer(answer.body.access_token);
const withCookies = (client: Client) => client;
const inBody = (answer: Answer) => ({ refresh_token: answer.body.refresh_token });

scenarios("tokens in cookies and in the body", (t) => {
  t.test("work with Bearer and JSON alone, for a caller that is not a page", async (app) => {
    const { registered, refreshed, last } = await wholeDay(app.client(), withBearer, inBody, false);
    for (const answer of [registered, refreshed]) expect(answer.body.refresh_token).toBeString();
    expect((await app.client().bearer(last.body.access_token).get("/v1/auth/session")).code).toBe("token_revoked");
  });

  t.test("work with cookies alone from a page, without the refresh token in a body", async (app) => {
    const page = app.page(APP_ORIGIN, { "x-application-id": app.applicationId });
    const { registered, refreshed, out } = await wholeDay(page, withCookies, () => ({}), true);
    for (const { text, body } of page.answers) {
      expect(body.refresh_token ?? null).toBeNull();
      for (const { value } of page.jar?.values() ?? []) if (value.length > 300) expect(text).not.toContain(value);
    }
    expect(registered.cookies).toHaveLength(3);
    expect(refreshed.cookies).toHaveLength(2);
    expect(out.cookies.map(({ attributes }) => attributes["max-age"])).toEqual(["0", "0"]);
    // The device stays known to the account.
    expect([...(page.jar?.keys() ?? [])]).toEqual(["sallyport_dv"]);
    expect((await page.get("/v1/auth/session")).code).toBe("authentication_required");
  });

  t.test("work with cookies alone from a script with a cookie jar", async (app) => {
    const script = app.page();
    const noPage = script.with({});
    const plain = app.client();
    const answer = await plain.post("/v1/auth/register", { email: "ada@example.com", password: PASSWORD });
    const cookie = answer.cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
    expect((await plain.get("/v1/auth/session", { headers: { cookie } })).status).toBe(200);
    expect((await plain.post("/v1/auth/refresh", undefined, { headers: { cookie } })).status).toBe(200);
    expect(noPage.jar?.size).toBe(0);
  });

  t.test("include the refresh token in the body for a page of a native application", async (app) => {
    const native = await app.application({ type: "native", origins: [APP_ORIGIN] });
    const page = app.page(APP_ORIGIN, { "x-application-id": native });
    const made = await page.post("/v1/auth/register", { email: "ada@example.com", password: PASSWORD });
    expect(made.body.refresh_token).toBeString();
    const refreshed = await app.client().post("/v1/auth/refresh", { refresh_token: made.body.refresh_token });
    expect(refreshed.body.refresh_token).toBeString();
  });

  t.test(
    "recognise a page by Origin or Sec-Fetch-Site, and not by Sec-Fetch-Mode, which Node's fetch sends",
    async (app) => {
      const user = await app.user();
      const login = async (headers: Record<string, string>) =>
        (await app.client({ "x-application-id": app.applicationId, ...headers }).post("/v1/auth/login", user.login))
          .body;
      expect((await login({ "sec-fetch-mode": "cors" })).refresh_token).toBeString();
      expect((await login({ "sec-fetch-site": "same-origin" })).refresh_token).toBeNull();
      expect((await login({ origin: APP_ORIGIN })).refresh_token).toBeNull();
      expect((await login({ origin: APP_ORIGIN, "sec-fetch-site": "none" })).refresh_token).toBeNull();
    },
  );

  t.test('with delivery "memory", set only the refresh cookie, also when they are refreshed', async (app) => {
    const page = app.page(APP_ORIGIN, { "x-application-id": app.applicationId });
    const made = await page.post("/v1/auth/register", {
      email: "ada@example.com",
      password: PASSWORD,
      delivery: "memory",
    });
    const refresh = `sallyport_rt_${app.applicationId.slice(-12)}`;
    expect(made.cookies.map(({ name }) => name)).toEqual([refresh, "sallyport_dv"]);
    expect(made.body.access_token).toBeString();
    expect(made.body.refresh_token).toBeNull();
    const refreshed = await page.post("/v1/auth/refresh");
    expect(refreshed.cookies.map(({ name }) => name)).toEqual([`sallyport_rt_${app.applicationId.slice(-12)}`]);
    expect((await page.get("/v1/auth/session")).code).toBe("authentication_required");
    expect((await page.bearer(refreshed.body.access_token).get("/v1/auth/session")).status).toBe(200);
  });

  t.test("end at sign-out with an expired access token, with the refresh cookie alone, and twice", async (app) => {
    const { tokens } = await app.signedIn();
    app.clock.advance(16 * 60_000);
    const late = await app.client().bearer(tokens.accessToken).post("/v1/auth/logout");
    expect(late.status).toBe(200);
    expect((await app.client().bearer(tokens.accessToken).post("/v1/auth/logout")).status).toBe(200);
    expect(await app.audit()).toEqual(["session.created", "session.ended"]);

    const page = app.page(APP_ORIGIN, { "x-application-id": app.applicationId });
    const { email } = await app.user();
    await page.post("/v1/auth/login", { email, password: PASSWORD, delivery: "memory" });
    expect((await page.post("/v1/auth/logout")).status).toBe(200);
    expect((await page.post("/v1/auth/refresh")).code).toBe("authentication_required");
  });

  t.test(
    "sign-out everywhere ends all sessions of the user in all applications, and no other user's (ASVS 7.4.1)",
    async (app) => {
      const { user, tokens } = await app.signedIn();
      const elsewhere = await app.signIn(user, app.defaultApplicationId);
      const { tokens: stranger } = await app.signedIn();
      expect((await app.client().bearer(tokens.accessToken).post("/v1/auth/logout", { all: true })).status).toBe(200);
      const statusOf = async (token: string) => (await app.client().bearer(token).get("/v1/auth/session")).status;
      expect(await Promise.all([tokens, elsewhere, stranger].map(({ accessToken }) => statusOf(accessToken)))).toEqual([
        401, 401, 200,
      ]);
      // The holder of an ended session cannot end newer sessions.
      const newer = await app.signIn(user);
      const late = await app.client().bearer(tokens.accessToken).post("/v1/auth/logout", { all: true });
      expect([late.status, late.code]).toEqual([401, "token_revoked"]);
      expect(await statusOf(newer.accessToken)).toBe(200);
    },
  );

  t.test(
    "sign-out everywhere refuses each token that may not end the other sessions one by one (ASVS 7.4.1)",
    async (app) => {
      const user = await app.user();
      const login = (id: string, more: object = {}) =>
        app.client({ "x-application-id": id }).post("/v1/auth/login", { ...user.login, ...more });
      const named = await app.application({
        audiences: ["https://one.example", "https://api.example.com"],
        access_token_ttl: 60,
      });
      const delegated = (await login(named, { audience: "https://api.example.com" })).body;
      const expired = (await login(named)).body;
      app.clock.advance(61_000);
      const fresh = (await login(named, { audience: "https://api.example.com" })).body;
      const page = app.page(APP_ORIGIN, { "x-application-id": app.applicationId });
      await page.post("/v1/auth/login", { ...user.login, delivery: "memory" });
      const tries = {
        "an expired token": [app.client().bearer(expired.access_token), "token_expired"],
        "an expired token for an API": [app.client().bearer(delegated.access_token), "token_expired"],
        "a token for an API": [app.client().bearer(fresh.access_token), "insufficient_scope"],
        "the refresh cookie alone": [page, "authentication_required"],
      } as const;
      const before = await app.state();
      for (const [name, [client, code]] of Object.entries(tries)) {
        const all = await client.post("/v1/auth/logout", { all: true });
        expect([name, all.code, all.cookies]).toEqual([name, code, []]);
        expect([name, (await client.delete("/v1/auth/sessions")).code]).toEqual([name, code]);
      }
      expect(await app.state()).toBe(before);
      // Each still ends its own session.
      for (const [name, [client]] of Object.entries(tries)) {
        expect([name, (await client.post("/v1/auth/logout")).status]).toEqual([name, 200]);
      }
    },
  );
});

scenarios("a backend that forwards the sign-ins of its users", (t) => {
  const forwarded = (app: TestApp, key: string, address: string) =>
    app.client({ authorization: `Bearer ${key}`, "x-application-id": app.applicationId, "x-client-address": address });

  t.test("passes Set-Cookie on and so signs the browser in", async (app) => {
    const user = await app.user();
    const answer = await app.client({ "x-application-id": app.applicationId }).post("/v1/auth/login", user.login);
    const page = app.page(APP_ORIGIN, { "x-application-id": app.applicationId });
    for (const cookie of answer.cookies) page.jar?.set(cookie.name, cookie);
    expect((await page.get("/v1/auth/session")).body.user.email).toBe(user.email);
  });

  t.test(
    "states the user's address with a key of scope forward, and sessions and limits use that address",
    async (app) => {
      const user = await app.user();
      const key = await app.newSecretKey({ scopes: ["forward"] });
      const wrong = { email: user.email, password: "not-the-right-password" };
      const status = async (address: string, body = wrong) =>
        (await forwarded(app, key, address).post("/v1/auth/login", body)).status;
      expect(await status("203.0.113.1")).toBe(401);
      expect(await status("203.0.113.1")).toBe(401);
      expect(await status("203.0.113.1")).toBe(429);
      expect(await status("203.0.113.2", user.login)).toBe(200);
      const { address } = await app.storage.read.kysely
        .selectFrom("sessions")
        .select("address")
        .executeTakeFirstOrThrow();
      expect(address).toBe("203.0.113.2");
    },
    { settings: { limit_account: "2/10m" } },
  );

  t.test("is refused if it sends x-client-address without such a key", async (app) => {
    const user = await app.user();
    const header = { "x-client-address": "203.0.113.1" };
    const bare = await app.client(header).post("/v1/auth/login", user.login);
    expect([bare.status, bare.code]).toEqual([403, "insufficient_scope"]);
    const reader = await app.newSecretKey({ scopes: ["users:read"] });
    const weak = await forwarded(app, reader, "203.0.113.1").post("/v1/auth/login", user.login);
    expect([weak.status, weak.code]).toEqual([403, "insufficient_scope"]);
    for (const address of ["", "nonsense", "1.2.3.4, 5.6.7.8", "999.1.1.1"]) {
      const refused = await forwarded(app, app.secretKey, address).post("/v1/auth/login", user.login);
      expect([address, refused.code]).toEqual([address, "invalid_input"]);
    }
  });
});
