import { expect } from "bun:test";
import type { ApplicationSettings } from "../../../src/identity/applications/administration.ts";
import { findApplication } from "../../../src/identity/applications/store.ts";
import type { TestApp } from "../../support/app.ts";
import { allowAnonymous, anonymousUser } from "../../support/own-affairs.ts";
import { scenarios } from "../../support/scenarios.ts";
import { enrolled, firstFactor, giveTotp, own, verify } from "../../support/second-factors.ts";
import { totp } from "../../support/totp.ts";

const DAY = 86_400_000;

/** Changes the test's own application as `app set` does. */
async function change(app: TestApp, changes: Partial<ApplicationSettings>): Promise<void> {
  await app.storage.write(async (tx) => {
    const row = await findApplication(tx, app.applicationId);
    if (!row) throw new Error("the application is gone");
    await app.identity.applications.change(tx, app.clock.now(), row, changes);
  });
  app.forget();
}

const refresh = async (app: TestApp, token: string | null) =>
  app.client().post("/v1/auth/refresh", { refresh_token: token });

const endReasons = async (app: TestApp) =>
  (await app.storage.read.kysely.selectFrom("sessions").select("end_reason").orderBy("id").execute()).map(
    ({ end_reason }) => end_reason,
  );

/** Signs a person with an app in from a remembered device. @returns the device's secret, and the tokens of one factor */
async function remembered(app: TestApp) {
  await change(app, { mfa_remember: 30 * 86_400 });
  const { user, secret } = await enrolled(app);
  const { mfa_token } = (await firstFactor(app, user)).body;
  app.clock.advance(30_000);
  const answer = await verify(own(app), mfa_token, totp(secret, app.clock.now()), { remember_device: true });
  const device = answer.body.trusted_device;
  const { body } = await own(app).post("/v1/auth/login", { ...user.login, trusted_device: device });
  return { user, client: app.client().bearer(answer.body.access_token), token: body.refresh_token };
}

scenarios("a refresh under the policy of the day (NIST SP 800-63B-4 section 5)", (t) => {
  t.test("ends a session of one factor once a second one is required, and no session of two", async (app) => {
    const { user, tokens } = await app.signedIn();
    const strong = await app.signIn(user, app.applicationId, "aal2");
    expect((await refresh(app, tokens.refreshToken)).status).toBe(200);
    const { body } = await refresh(app, tokens.refreshToken);
    await change(app, { mfa: "required" });
    const late = await refresh(app, body.refresh_token);
    expect([late.status, late.code]).toEqual([401, "token_revoked"]);
    expect((await app.client().bearer(body.access_token).get("/v1/auth/session")).code).toBe("token_revoked");
    expect((await refresh(app, strong.refreshToken)).status).toBe(200);
    expect((await endReasons(app)).sort()).toEqual(["factor_required", null] as never);
    expect((await firstFactor(app, user)).body).toMatchObject({ status: "mfa_required", setup_required: true });
  });

  t.test("lets a session go on until the grace is over, and no longer", async (app) => {
    const { tokens } = await app.signedIn();
    app.clock.advance(10 * DAY);
    await change(app, { mfa: "required", mfa_grace: 7 * 86_400 });
    app.clock.advance(7 * DAY - 1_000);
    const { status, body } = await refresh(app, tokens.refreshToken);
    expect(status).toBe(200);
    app.clock.advance(1_000);
    expect((await refresh(app, body.refresh_token)).code).toBe("token_revoked");
    expect(await endReasons(app)).toEqual(["factor_required"]);
  });

  t.test("asks only users with a second factor once an application that asked nobody asks them", async (app) => {
    await change(app, { mfa: "off" });
    const [bare, holder] = [await app.signedIn(), await app.signedIn()];
    await giveTotp(app, holder.user);
    expect((await refresh(app, holder.tokens.refreshToken)).status).toBe(200);
    const { body } = await refresh(app, holder.tokens.refreshToken);
    app.clock.advance(1_000);
    await change(app, { mfa: "optional" });
    expect((await refresh(app, bare.tokens.refreshToken)).status).toBe(200);
    expect((await refresh(app, body.refresh_token)).code).toBe("token_revoked");
  });

  t.test("lets a remembered device go on, but not longer than it is remembered", async (app) => {
    for (const mfa of ["optional", "required"] as const) {
      const { token } = await remembered(app);
      await change(app, { mfa });
      app.clock.advance(20 * DAY);
      const { status, body } = await refresh(app, token);
      expect(status).toBe(200);
      app.clock.advance(10 * DAY);
      expect([mfa, (await refresh(app, body.refresh_token)).code]).toEqual([mfa, "token_revoked"]);
    }
  });

  t.test("ends the session of a device that is no longer remembered", async (app) => {
    const [first, second] = [await remembered(app), await remembered(app)];
    const devices = await first.client.get("/v1/me/trusted-devices");
    const id = devices.body.data[0]?.id;
    expect((await first.client.delete(`/v1/me/trusted-devices/${id}`)).status).toBe(200);
    expect((await refresh(app, first.token)).code).toBe("token_revoked");
    const { status, body } = await refresh(app, second.token);
    expect(status).toBe(200);
    await change(app, { mfa_remember: 0 });
    expect((await refresh(app, body.refresh_token)).code).toBe("token_revoked");
  });

  t.test("asks an anonymous user for nothing", async (app) => {
    await allowAnonymous(app);
    const { body } = await anonymousUser(app);
    await change(app, { mfa: "required" });
    expect((await refresh(app, body.refresh_token)).status).toBe(200);
  });

  t.test("clears the cookies of a page, which then shows its sign-in", async (app) => {
    const user = await app.user();
    const page = app.page(undefined, { "x-application-id": app.applicationId });
    await page.post("/v1/auth/login", user.login);
    await change(app, { mfa: "required" });
    const refused = await page.post("/v1/auth/refresh");
    expect([refused.code, refused.cookies.map(({ attributes }) => attributes["max-age"])]).toEqual([
      "token_revoked",
      ["0", "0"],
    ]);
  });

  t.test("costs a session of one factor no statement more than one of two factors", async (app) => {
    const { user, tokens } = await app.signedIn();
    const strong = await app.signIn(user, app.applicationId, "aal2");
    const statements = async (token: string) => {
      const { storage } = app;
      const before = [storage.reads, storage.writes, storage.statementsInWrites];
      expect((await refresh(app, token)).status).toBe(200);
      return [storage.reads, storage.writes, storage.statementsInWrites].map((now, i) => now - (before[i] ?? 0));
    };
    await refresh(app, (await app.signedIn()).tokens.refreshToken);
    expect(await statements(tokens.refreshToken)).toEqual(await statements(strong.refreshToken));
  });
});
