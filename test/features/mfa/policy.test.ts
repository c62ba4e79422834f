import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import { scenarios } from "../../support/scenarios.ts";
import { enrolled, firstFactor, own, policy, verify } from "../../support/second-factors.ts";
import { claimsOf } from "../../support/tokens.ts";
import { totp } from "../../support/totp.ts";

const HOUR = 3_600_000;
const SETUP = "/v1/auth/mfa/setup";
const ENABLE = "/v1/auth/mfa/enable";
const CHALLENGE = "/v1/auth/mfa/challenge";

async function setupToken(app: TestApp) {
  await policy(app, { mfa: "required" });
  const user = await app.user();
  const { body } = await firstFactor(app, user);
  return { user, token: body.mfa_token };
}

scenarios("the policy of an application (ASVS 6.3.3, 6.3.4)", (t) => {
  t.test("optional: asks only users who have a second factor", async (app) => {
    const { user } = await enrolled(app);
    expect((await firstFactor(app, user)).body.status).toBe("mfa_required");
    expect((await firstFactor(app, await app.user())).body.status).toBe("success");
  });

  t.test("off: asks no user and sets up no factor; another application still asks", async (app) => {
    const { user, tokens } = await enrolled(app);
    await policy(app, { mfa: "off" });
    const open = await firstFactor(app, user);
    expect([open.body.status, claimsOf(open.body.access_token).aal]).toEqual(["success", "aal1"]);
    const client = app.client().bearer(tokens.access_token);
    expect((await client.post(SETUP)).code).toBe("forbidden");
    expect((await client.post(ENABLE, { code: "123456" })).code).toBe("forbidden");
    expect((await app.client().post("/v1/auth/login", user.login)).body.status).toBe("mfa_required");
  });

  t.test(
    "required: a user without a factor sets one up before there is a session, by password and by sign-up",
    async (app) => {
      await policy(app, { mfa: "required" });
      const user = await app.user();
      const client = own(app);
      const first = await firstFactor(app, user, client);
      expect(first.body).toMatchObject({ status: "mfa_required", methods: [], setup_required: true });
      const { mfa_token } = first.body;
      const { secret } = (await client.post(SETUP, { mfa_token })).body;
      const done = await client.post(ENABLE, { mfa_token, code: totp(secret ?? "", app.clock.now()) });
      expect([done.status, done.body.recovery_codes.length]).toEqual([200, 10]);
      expect(claimsOf(done.body.access_token)).toMatchObject({ aal: "aal2", amr: ["pwd", "otp", "mfa"], sub: user.id });
      expect((await client.post(ENABLE, { mfa_token, code: totp(secret ?? "", app.clock.now(), 1) })).code).toBe(
        "invalid_code",
      );
      expect((await firstFactor(app, user)).body).toMatchObject({
        methods: ["totp", "recovery_code"],
        setup_required: false,
      });
      const registration = { email: "new@example.com", password: "walnut-bridge-otter-51" };
      const registered = await client.post("/v1/auth/register", registration);
      expect([registered.status, registered.body.setup_required]).toEqual([201, true]);
    },
  );

  t.test("grace counts from the policy, or from the account if it is younger, and then is over", async (app) => {
    const old = await app.user();
    app.clock.advance(HOUR);
    await policy(app, { mfa: "required", mfa_grace: 3600 });
    app.clock.advance(HOUR / 2);
    const young = await app.user();
    const status = async (user: typeof old) => (await firstFactor(app, user)).body.status;
    app.clock.advance(HOUR / 2 - 1);
    expect([await status(old), await status(young)]).toEqual(["success", "success"]);
    app.clock.advance(1);
    expect([await status(old), await status(young)]).toEqual(["mfa_required", "success"]);
    app.clock.advance(HOUR / 2);
    expect([await status(old), await status(young)]).toEqual(["mfa_required", "mfa_required"]);
    const { user, secret } = await enrolled(app, await graced(app));
    // Grace is for users without a factor.
    const { mfa_token } = (await firstFactor(app, user)).body;
    expect((await verify(own(app), mfa_token, totp(secret, app.clock.now()))).status).toBe(200);
  });

  t.test("an anonymous user is asked for nothing and can set up nothing", async (app) => {
    const { user, tokens } = await app.signedIn();
    await app.storage.write((tx) =>
      tx.kysely.updateTable("users").set({ is_anonymous: 1 }).where("id", "=", user.id).execute(),
    );
    expect((await app.client().bearer(tokens.accessToken).post(SETUP)).code).toBe("forbidden");
    await policy(app, { mfa: "required" });
    expect((await app.signIn(user)).session.aal).toBe("aal1");
  });

  t.test(
    "steps out of order are refused: a set-up flow proves nothing, and a proof flow sets nothing up",
    async (app) => {
      const person = await enrolled(app);
      const { token: setup } = await setupToken(app);
      const proof = (await firstFactor(app, person.user)).body.mfa_token;
      const client = own(app);
      const before = await app.state();
      expect((await client.post(ENABLE, { mfa_token: proof, code: "123456" })).code).toBe("invalid_code");
      expect((await client.post(SETUP, { mfa_token: proof })).code).toBe("invalid_code");
      expect((await client.post(CHALLENGE, { mfa_token: setup })).code).toBe("invalid_code");
      for (const method of ["totp", "recovery_code"]) {
        const body = { mfa_token: setup, method, code: person.codes[0] };
        expect((await client.post("/v1/auth/mfa/verify", body)).code).toBe("invalid_code");
      }
      expect(await app.state()).toBe(before);
      // Calls enable before the set-up, with the right kind of flow.
      expect((await client.post(ENABLE, { mfa_token: setup, code: "123456" })).code).toBe("invalid_code");
    },
  );

  t.test("another flow or a session cannot finish the set-up that a flow began", async (app) => {
    const { user, token: mine } = await setupToken(app);
    const theirs = (await firstFactor(app, user)).body.mfa_token;
    const client = own(app);
    const { secret } = (await client.post(SETUP, { mfa_token: mine })).body;
    const code = totp(secret ?? "", app.clock.now());
    expect((await client.post(ENABLE, { mfa_token: theirs, code })).code).toBe("invalid_code");
    await policy(app, { mfa: "optional" });
    const session = app.client().bearer((await app.signIn(user)).accessToken);
    expect((await session.post(ENABLE, { code })).code).toBe("invalid_code");
    expect((await client.post(ENABLE, { mfa_token: mine, code })).status).toBe(200);
    expect((await client.post(SETUP, { mfa_token: theirs })).code).toBe("invalid_code");
  });

  t.test("a set-up by password alone is over once the owner has a second factor, however it was added", async (app) => {
    const { user, token } = await setupToken(app);
    const client = own(app);
    const { secret } = (await client.post(SETUP, { mfa_token: token })).body;
    const code = totp(secret ?? "", app.clock.now());
    // Acts as if another feature had added one and had not ended the flows.
    await app.storage.write((tx) =>
      tx.kysely
        .updateTable("totp_factors")
        .set({ enabled_at: 1, sealed_secret: new Uint8Array(64) })
        .execute(),
    );
    expect((await client.post(SETUP, { mfa_token: token })).code).toBe("invalid_code");
    expect((await client.post(ENABLE, { mfa_token: token, code })).code).toBe("invalid_code");
    expect((await firstFactor(app, user)).body.setup_required).toBe(false);
  });
});

/** Signs somebody in within the grace, by the host's own phases. */
async function graced(app: TestApp) {
  const user = await app.user();
  expect((await firstFactor(app, user)).body.status).toBe("success");
  return user;
}
