import { expect } from "bun:test";
import { DAY } from "../../../src/core/clock.ts";
import type { TestApp, TestUser } from "../../support/app.ts";
import type { Answer } from "../../support/client.ts";
import { scenarios } from "../../support/scenarios.ts";
import { enrolled, own, ownPage, verify } from "../../support/second-factors.ts";
import { totp } from "../../support/totp.ts";

const COOKIE = "sallyport_dv";
const secretIn = ({ cookies }: Answer) => cookies.find(({ name }) => name.startsWith(COOKIE))?.value ?? null;

const knows = (app: TestApp, user: Pick<TestUser, "id">, secret: string | null) =>
  app.identity.devices.knows(app.storage.read, user.id, secret, app.clock.now());

const devicesOf = (app: TestApp, { id }: Pick<TestUser, "id">) =>
  app.storage.read.kysely.selectFrom("account_devices").selectAll().where("user_id", "=", id).execute();

scenarios("the device cookie", (t) => {
  t.test("makes the device known to the account after a sign-in, and to no other account or tenant", async (app) => {
    const [user, other] = [await app.user(), await app.user()];
    const page = ownPage(app);
    const first = await page.post("/v1/auth/login", user.login);
    const secret = secretIn(first);
    expect(secret).toMatch(/^sally_dv_/);
    app.secrets.add(secret ?? "");
    expect(await knows(app, user, secret)).toBe(true);
    expect(await knows(app, other, secret)).toBe(false);
    for (const none of [null, "", "x", `${secret}x`, secret?.replace("_dv_", "_td_") ?? ""]) {
      expect(await knows(app, user, none)).toBe(false);
    }
    // The same device keeps its secret, and the digest in the row does not work as a cookie.
    expect(secretIn(await page.post("/v1/auth/login", user.login))).toBe(secret);
    const [row] = await devicesOf(app, user);
    expect(await knows(app, user, row?.digest ?? "")).toBe(false);
  });

  t.test("gives no device to a wrong password, and none to a first factor alone", async (app) => {
    const { user, secret } = await enrolled(app);
    const before = await devicesOf(app, user);
    const page = ownPage(app);
    expect(secretIn(await page.post("/v1/auth/login", { ...user.login, password: "wrong-lantern-88" }))).toBeNull();
    const half = await page.post("/v1/auth/login", user.login);
    expect([half.body.status, secretIn(half)]).toEqual(["mfa_required", null]);
    expect(await devicesOf(app, user)).toEqual(before);
    const done = await verify(page, half.body.mfa_token, totp(secret, app.clock.now()));
    expect(await knows(app, user, secretIn(done))).toBe(true);
  });

  t.test("a secret that an attacker planted in the browser is worthless after the owner's sign-in", async (app) => {
    const [attacker, owner] = [await app.user(), await app.user()];
    const planted = secretIn(await own(app).post("/v1/auth/login", attacker.login)) ?? "";
    const cookie = { cookie: `${COOKIE}=${planted}` };
    const fresh = secretIn(await own(app, cookie).post("/v1/auth/login", owner.login));
    expect(fresh).not.toBe(planted);
    expect(await knows(app, owner, planted)).toBe(false);
    expect(await knows(app, attacker, planted)).toBe(false);
    // A browser with two accounts stays known to both.
    expect(await knows(app, owner, fresh)).toBe(true);
    expect(await knows(app, attacker, fresh)).toBe(true);
  });

  t.test("does not follow a browser into another tenant", async (app) => {
    const acme = await app.tenant("acme");
    const [here, there] = [await app.user(), await app.user("eve@acme.example", acme.id)];
    const secret = secretIn(await own(app).post("/v1/auth/login", here.login)) ?? "";
    // Even a caller that sends the secret under the other tenant's name gets a new one, and moves nothing.
    const short = acme.id.slice(-12);
    const client = app.client({ cookie: `${COOKIE}=${secret}; ${COOKIE}_${short}=${secret}` });
    const answer = await client.post("/t/acme/v1/auth/login", there.login);
    expect(secretIn(answer)).not.toBe(secret);
    expect(answer.cookies.map(({ name }) => name)).toContain(`${COOKIE}_${short}`);
    expect(await knows(app, here, secret)).toBe(true);
    expect(await knows(app, there, secret)).toBe(false);
  });

  t.test("is forgotten with the account, after 400 days, and beyond the latest 20", async (app) => {
    const user = await app.user();
    const secret = secretIn(await own(app).post("/v1/auth/login", user.login));
    app.clock.advance(1_000);
    for (let i = 0; i < 22; i++) {
      app.clock.advance(1_000);
      await app.signIn(user);
    }
    expect(await devicesOf(app, user)).toHaveLength(20);
    expect(await knows(app, user, secret)).toBe(false);
    const last = secretIn(await own(app).post("/v1/auth/login", user.login));
    app.clock.advance(400 * DAY - 1_000);
    expect(await knows(app, user, last)).toBe(true);
    app.clock.advance(2_000);
    expect(await knows(app, user, last)).toBe(false);
    await app.app.jobs.find(({ name }) => name === "retention")?.run();
    // Only the latest stays, so that a stranger's sign-in does not count as the account's first.
    expect(new Set((await devicesOf(app, user)).map(({ last_seen_at }) => last_seen_at)).size).toBe(1);
    await app.signIn(user);
    await app.storage.write(async (tx) => app.identity.accounts.delete(tx, await app.act(), user.id));
    expect(await devicesOf(app, user)).toEqual([]);
  });
});
