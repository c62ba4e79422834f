import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import { caller, holder, newAuthenticator, signInWith } from "../../support/passkeys.ts";
import { scenarios } from "../../support/scenarios.ts";
import { giveTotp, policy, verify } from "../../support/second-factors.ts";
import { claimsOf } from "../../support/tokens.ts";
import { totp } from "../../support/totp.ts";

const SETUP = "/v1/auth/mfa/setup";
const ENABLE = "/v1/auth/mfa/enable";

/** Makes a person with a key without a PIN, under a policy that requires a second factor. */
async function keyHolder(app: TestApp) {
  const key = newAuthenticator({ verifiesUser: false, backupEligible: false });
  const made = await holder(app, key);
  await policy(app, { mfa: "required" });
  return { ...made, key };
}

scenarios("a passkey without user verification where a second factor is required", (t) => {
  t.test("leads to the set-up of an authenticator app, and the app is the second factor from then on", async (app) => {
    const { user, key } = await keyHolder(app);
    const client = caller(app);
    const first = await signInWith(client, key);
    expect(first.body).toMatchObject({ status: "mfa_required", methods: [], setup_required: true });
    const { mfa_token } = first.body;
    const shown = await client.post(SETUP, { mfa_token });
    expect([shown.status, shown.code]).toEqual([200, undefined]);
    const secret = shown.body.secret ?? "";
    const done = await client.post(ENABLE, { mfa_token, code: totp(secret, app.clock.now()) });
    expect([done.status, done.body.recovery_codes.length]).toEqual([200, 10]);
    const two = { aal: "aal2", amr: ["hwk", "user", "otp", "mfa"], sub: user.id };
    expect(claimsOf(done.body.access_token)).toMatchObject(two);
    const next = await signInWith(client, key);
    expect(next.body).toMatchObject({ methods: ["totp", "recovery_code"], setup_required: false });
    const proven = await verify(client, next.body.mfa_token, totp(secret, app.clock.now(), 1));
    expect(claimsOf(proven.body.access_token)).toMatchObject(two);
  });

  t.test("sets nothing up once the owner has an app, however it was added: the app must be proven", async (app) => {
    const { user, key } = await keyHolder(app);
    const client = caller(app);
    const { mfa_token } = (await signInWith(client, key)).body;
    const { secret } = (await client.post(SETUP, { mfa_token })).body;
    await app.storage.write((tx) => tx.kysely.deleteFrom("totp_factors").execute());
    const own = await giveTotp(app, user);
    expect((await client.post(SETUP, { mfa_token })).code).toBe("invalid_code");
    const code = totp(secret ?? "", app.clock.now());
    expect((await client.post(ENABLE, { mfa_token, code })).code).toBe("invalid_code");
    const asked = await signInWith(client, key);
    expect(asked.body).toMatchObject({ methods: ["totp"], setup_required: false });
    expect((await client.post(SETUP, { mfa_token: asked.body.mfa_token })).code).toBe("invalid_code");
    expect((await verify(client, asked.body.mfa_token, totp(own, app.clock.now()))).status).toBe(200);
  });

  t.test("still counts as the second factor after a password, whose flow sets up no other", async (app) => {
    const { user } = await keyHolder(app);
    const client = caller(app);
    const { body } = await client.post("/v1/auth/login", user.login);
    expect(body as unknown).toMatchObject({ status: "mfa_required", methods: ["passkey"], setup_required: false });
    expect((await client.post(SETUP, { mfa_token: body.mfa_token })).code).toBe("invalid_code");
  });
});
