import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import type { Client } from "../../support/client.ts";
import { caller, type Holder, holder, newAuthenticator, signInWith } from "../../support/passkeys.ts";
import { scenarios } from "../../support/scenarios.ts";
import { giveTotp, verify } from "../../support/second-factors.ts";
import { claimsOf } from "../../support/tokens.ts";
import { totp } from "../../support/totp.ts";

const CHALLENGE = "/v1/auth/mfa/challenge";
const VERIFY = "/v1/auth/mfa/verify";

/** Changes the domain of the application's passkeys, as `app set --passkey-rp-id` does. */
async function moveTo(app: TestApp, rpId: string | null): Promise<void> {
  await app.storage.write((tx) =>
    tx.kysely.updateTable("applications").set({ passkey_rp_id: rpId }).where("id", "=", app.applicationId).execute(),
  );
  app.forget();
}

const signIn = (client: Client, { user }: Holder) => client.post("/v1/auth/login", user.login);

scenarios("a passkey of another domain than the application's", (t) => {
  t.test(
    "as the only second factor lets nobody in: the answer names the cause, and the old domain helps",
    async (app) => {
      const one = await holder(app);
      await moveTo(app, "example.com");
      const before = await app.storage.read.kysely.selectFrom("sessions").select("id").execute();
      const refused = await signIn(caller(app), one);
      expect([refused.status, refused.code]).toEqual([403, "factor_elsewhere"]);
      expect(refused.body.error.message).toContain("a passkey of another domain, and you have no recovery codes");
      expect(await app.storage.read.kysely.selectFrom("sessions").select("id").execute()).toEqual(before);
      expect(
        await app.storage.read.kysely.selectFrom("flows").select("id").where("kind", "=", "mfa").execute(),
      ).toEqual([]);
      // A wrong password learns nothing about the second factor.
      const wrong = await caller(app).post("/v1/auth/login", { ...one.user.login, password: "not-the-right-password" });
      expect([wrong.status, wrong.code]).toEqual([401, "invalid_credentials"]);
      await moveTo(app, null);
      expect((await signIn(caller(app), one)).body as unknown).toMatchObject({ methods: ["passkey"] });
      expect((await signInWith(caller(app), one.authenticator)).status).toBe(200);
    },
  );

  t.test("leaves the recovery codes, which make a session that adds a passkey of this domain", async (app) => {
    const one = await holder(app);
    const stepped = await signInWith(caller(app), one.authenticator);
    const strong = app.client().bearer(stepped.body.access_token);
    const { recovery_codes: codes } = (await strong.post("/v1/auth/mfa/recovery-codes")).body;
    await moveTo(app, "example.com");
    const client = caller(app);
    const first = await signIn(client, one);
    expect(first.body as unknown).toMatchObject({ status: "mfa_required", methods: ["recovery_code"] });
    const { mfa_token } = first.body;
    const challenge = await client.post(CHALLENGE, { mfa_token });
    expect(challenge.body as unknown).toEqual({ methods: ["recovery_code"], passkey: null });
    const answer = await client.post(VERIFY, { mfa_token, method: "recovery_code", code: codes[0] });
    expect(claimsOf(answer.body.access_token)).toMatchObject({ aal: "aal2", sub: one.user.id });
    const begun = await app.client().bearer(answer.body.access_token).post("/v1/me/passkeys/begin");
    expect(begun.body as unknown).toMatchObject({ public_key: { rp: { id: "example.com" }, excludeCredentials: [] } });
  });

  t.test("is not named beside an app, for a sign-in or a step-up, and one of this domain is", async (app) => {
    const one = await holder(app);
    const secret = await giveTotp(app, one.user);
    await moveTo(app, "example.com");
    const client = caller(app);
    const first = await signIn(client, one);
    expect(first.body as unknown).toMatchObject({ methods: ["totp"] });
    expect((await one.client.post(CHALLENGE, {})).body as unknown).toEqual({ methods: ["totp"], passkey: null });
    expect((await verify(client, first.body.mfa_token, totp(secret, app.clock.now()))).status).toBe(200);
    await moveTo(app, null);
    expect((await signIn(client, one)).body as unknown).toMatchObject({ methods: ["totp", "passkey"] });
  });

  t.test("still demands a second factor: a key that verified nobody signs in alone nowhere else", async (app) => {
    const key = newAuthenticator({ verifiesUser: false });
    const one = await holder(app, key);
    const id = await app.application({ passkey_rp_id: "example.com", origins: ["https://app.example.com"] });
    const there = app.client({ "x-application-id": id });
    const refused = await signIn(there, one);
    expect([refused.status, refused.code, refused.body.access_token]).toEqual([403, "factor_elsewhere", undefined]);
  });
});
