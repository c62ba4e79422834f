import { expect } from "bun:test";
import { startApp, type TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";

const MINUTE = 60_000;
const PROXIED = { trusted_proxies: ["127.0.0.1/32", "10.0.0.0/8"] };

const attempt = (app: TestApp, body: object, headers: Record<string, string> = {}) =>
  app.client(headers).post("/v1/auth/login", body);
const from = (address: string) => ({ "x-forwarded-for": address });

scenarios("rate limits (ASVS 6.3.1, 4.1.3)", (t) => {
  t.test(
    "one account from one network: ten attempts, then 429 with a correct Retry-After, and no permanent lockout",
    async (app) => {
      const user = await app.user();
      const wrong = { ...user.login, password: "not-the-right-password" };
      for (let i = 0; i < 10; i++) expect((await attempt(app, wrong)).status).toBe(401);
      const hashes = app.metric("sallyport_password_hashes_total");
      const refused = await attempt(app, user.login);
      expect([refused.status, refused.code, refused.headers.get("retry-after")]).toEqual([429, "rate_limited", "60"]);
      expect(app.metric("sallyport_password_hashes_total")).toBe(hashes);
      app.clock.advance(MINUTE - 1);
      expect((await attempt(app, user.login)).status).toBe(429);
      app.clock.advance(1);
      expect((await attempt(app, user.login)).status).toBe(200);
      // The right password reset the count of this account on this network.
      expect((await attempt(app, wrong)).status).toBe(401);
    },
  );

  t.test(
    "case, spelling, path, application header and transport do not evade the limit",
    async (app) => {
      const acme = await app.tenant("acme");
      await app.user("ada@example.com");
      const password = "not-the-right-password";
      for (const email of ["ada@example.com", "ADA@example.com", " ada@EXAMPLE.com "]) {
        expect((await attempt(app, { email, password })).status).toBe(401);
      }
      const email = "ａｄａ@example.com";
      const tries = [
        attempt(app, { email, password }),
        attempt(app, { email, password }, { "x-application-id": app.applicationId }),
        app.client().post("/t/default/v1/auth/login", { email, password }),
        app.client().mutate("auth.login", { email, password }),
        attempt(app, { email, password }, { "user-agent": "other", cookie: "a=b" }),
      ];
      expect((await Promise.all(tries)).map(({ status }) => status)).toEqual([429, 429, 429, 429, 429]);
      // The same address in another tenant is another account.
      expect((await app.client().post(`/t/${acme.slug}/v1/auth/login`, { email, password })).status).toBe(401);
    },
    { settings: { limit_account: "3/10m" } },
  );

  t.test(
    "headers that any caller can set do not move the caller to another network",
    async (app) => {
      const user = await app.user();
      const wrong = { ...user.login, password: "not-the-right-password" };
      for (let i = 0; i < 3; i++) expect((await attempt(app, wrong, from(`203.0.113.${i}`))).status).toBe(401);
      for (const name of [
        "x-forwarded-for",
        "x-real-ip",
        "x-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "forwarded",
        "x-originating-ip",
        "x-remote-addr",
      ]) {
        expect([name, (await attempt(app, wrong, { [name]: "198.51.100.7" })).status]).toEqual([name, 429]);
      }
      const entries = await app.auditEntries();
      expect(new Set(entries.map(({ address }) => address))).toEqual(new Set(["127.0.0.1"]));
    },
    { settings: { limit_account: "3/10m" } },
  );

  t.test(
    "behind trusted proxies the rightmost untrusted hop counts, and hops to its left do not",
    async (app) => {
      const user = await app.user();
      const wrong = { ...user.login, password: "not-the-right-password" };
      const hops = [
        "203.0.113.9",
        "198.51.100.1, 203.0.113.9",
        "203.0.113.9, 10.1.2.3",
        "127.0.0.1, 203.0.113.9, 10.0.0.1, 10.0.0.2",
      ];
      expect((await attempt(app, wrong, from(hops[0] ?? ""))).status).toBe(401);
      expect((await attempt(app, wrong, from(hops[1] ?? ""))).status).toBe(401);
      for (const hop of hops) expect([hop, (await attempt(app, wrong, from(hop))).status]).toEqual([hop, 429]);
      expect((await attempt(app, wrong, from("203.0.113.10"))).status).toBe(401);
      expect((await attempt(app, user.login, from("203.0.113.9"))).status).toBe(429);
      expect((await attempt(app, user.login, from("203.0.113.10"))).status).toBe(200);
    },
    { settings: { limit_account: "2/10m", ...PROXIED } },
  );

  t.test(
    "IPv6 counts by /64, IPv4 in IPv6 as IPv4",
    async (app) => {
      const user = await app.user();
      const wrong = { ...user.login, password: "not-the-right-password" };
      const status = async (address: string) => (await attempt(app, wrong, from(address))).status;
      expect(await status("2001:db8:1:2::1")).toBe(401);
      expect(await status("2001:db8:1:2:ffff:ffff:ffff:ffff")).toBe(401);
      expect(await status("2001:DB8:0001:0002:3::4")).toBe(429);
      expect(await status("[2001:db8:1:2::9]")).toBe(429);
      expect(await status("2001:db8:1:3::1")).toBe(401);
      expect(await status("203.0.113.50")).toBe(401);
      expect(await status("::ffff:203.0.113.50")).toBe(401);
      expect(await status("::ffff:203.0.113.50")).toBe(429);
    },
    { settings: { limit_account: "2/10m", ...PROXIED } },
  );

  t.test(
    "attempts from one network at many accounts, and from many networks at one account, each meet a limit",
    async (app) => {
      const user = await app.user();
      const password = "not-the-right-password";
      const spray: number[] = [];
      for (let i = 0; i < 6; i++)
        spray.push((await attempt(app, { email: `x${i}@example.com`, password }, from("203.0.113.1"))).status);
      expect(spray).toEqual([401, 401, 401, 401, 429, 429]);
      const spread: number[] = [];
      for (let i = 0; i < 8; i++)
        spread.push((await attempt(app, { ...user.login, password }, from(`198.51.100.${i}`))).status);
      expect(spread).toEqual([401, 401, 401, 401, 401, 401, 401, 429]);
    },
    { settings: { limit_network: "4/10m", limit_account_total: "6/1h", limit_spare_total: "1/1d", ...PROXIED } },
  );

  t.test(
    "sign-ups count by network",
    async (app) => {
      const register = async (index: number, address: string) =>
        (
          await app
            .client(from(address))
            .post("/v1/auth/register", { email: `p${index}@example.com`, password: "walnut-bridge-otter-51" })
        ).status;
      expect([
        await register(1, "203.0.113.1"),
        await register(2, "203.0.113.1"),
        await register(3, "203.0.113.1"),
      ]).toEqual([201, 201, 429]);
      expect(await register(4, "203.0.113.2")).toBe(201);
    },
    { settings: { limit_sign_up: "2/1h", ...PROXIED } },
  );

  t.test("a restart resets nothing, and nodes share the counts", async (app) => {
    const user = await app.user();
    const wrong = { ...user.login, password: "not-the-right-password" };
    for (let i = 0; i < 10; i++) await attempt(app, wrong);
    const restarted = await startApp({ beside: app });
    expect((await attempt(restarted, user.login)).status).toBe(429);
    await restarted.close();
  });

  t.test("a clock that is set back does not lock users out", async (app) => {
    const user = await app.user();
    const wrong = { ...user.login, password: "not-the-right-password" };
    app.clock.advance(24 * 60 * MINUTE);
    for (let i = 0; i < 11; i++) await attempt(app, wrong);
    app.clock.advance(-24 * 60 * MINUTE);
    // The owner is not locked out, and a guesser has no new allowance.
    for (const [login, status] of [
      [user.login, 200],
      [wrong, 401],
      [wrong, 429],
    ] as const) {
      expect((await attempt(app, login)).status).toBe(status);
    }
  });

  t.test(
    "the log records the 1st, 10th and 100th of a flood of refusals, and the disk does not fill (ASVS 16.3.1)",
    async (app) => {
      const user = await app.user();
      const wrong = { ...user.login, password: "not-the-right-password" };
      for (let i = 0; i < 3; i++) await attempt(app, wrong);
      for (let batch = 0; batch < 6; batch++) {
        const inputs = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [index, wrong]));
        const names = Object.keys(inputs).map(() => "auth.login");
        await app.client().post(`/trpc/${names.join(",")}?batch=1`, inputs);
      }
      const told = (await app.auditEntries()).map(
        ({ action, details }) => `${action} ${JSON.parse(details).times_this_minute}`,
      );
      expect(told.sort()).toEqual([
        "attempt.throttled 1",
        "attempt.throttled 10",
        "attempt.throttled 100",
        "sign_in.refused 1",
      ]);
      app.clock.advance(MINUTE);
      await attempt(app, wrong);
      expect((await app.auditEntries()).length).toBe(5);
    },
    { settings: { limit_account: "3/10h" } },
  );
});
