import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import { allowMail, completeBy, mailTo } from "../../support/mailed-links.ts";
import { addPasskey, newAuthenticator, signInWith } from "../../support/passkeys.ts";
import { scenarios } from "../../support/scenarios.ts";
import { enrolled, firstFactor, own, policy, proveAddress, raise } from "../../support/second-factors.ts";
import { claimsOf } from "../../support/tokens.ts";
import { totp } from "../../support/totp.ts";

const VERIFY = "/v1/auth/mfa/verify";

/** Makes a person with an app and a proven address, who may sign in by mail. */
async function person(app: TestApp) {
  await allowMail(app);
  const made = await enrolled(app);
  await proveAddress(app, made.user);
  return made;
}

/** Proves the mailbox. @returns the MFA token */
async function byMail(app: TestApp, email: string): Promise<string> {
  const { flowId, code } = await mailTo(app, email, "email_code", own(app));
  return (await completeBy(own(app), { flow_id: flowId, code })).body.mfa_token;
}

const codesLeft = async (app: TestApp) =>
  (await app.storage.read.kysely.selectFrom("recovery_codes").select("digest").execute()).length;

scenarios("a recovery code that makes no two different factors (NIST SP 800-63B-4 section 2.2.1)", (t) => {
  t.test("after a mailed code signs in as aal1, trusts no device, and raises nothing later", async (app) => {
    const { user, codes } = await person(app);
    await policy(app, { mfa_remember: 86_400 });
    const mfa_token = await byMail(app, user.email);
    const [first, second] = codes;
    const answer = await own(app).post(VERIFY, {
      mfa_token,
      method: "recovery_code",
      code: first,
      remember_device: true,
    });
    expect(answer.status).toBe(200);
    expect(claimsOf(answer.body.access_token)).toMatchObject({ aal: "aal1", amr: ["otp"] });
    expect(answer.body.trusted_device ?? null).toBeNull();
    const client = app.client().bearer(answer.body.access_token);
    const step = await client.post(VERIFY, { method: "recovery_code", code: second });
    expect(claimsOf(step.body.access_token)).toMatchObject({ aal: "aal1", amr: ["otp"] });
  });

  t.test("after a passkey that did not verify its owner signs in as aal1", async (app) => {
    const { codes, tokens } = await enrolled(app);
    const authenticator = newAuthenticator();
    await addPasskey(app.client().bearer(tokens.access_token), authenticator, { userVerified: false });
    const { body } = await signInWith(own(app), authenticator, { userVerified: false });
    const answer = await own(app).post(VERIFY, {
      mfa_token: body.mfa_token,
      method: "recovery_code",
      code: codes[0],
    });
    expect(claimsOf(answer.body.access_token)).toMatchObject({ aal: "aal1" });
  });

  t.test("lets its owner replace the lost app, which raises the session", async (app) => {
    const { user, codes } = await person(app);
    await policy(app, { mfa: "required" });
    const mfa_token = await byMail(app, user.email);
    const { body } = await own(app).post(VERIFY, { mfa_token, method: "recovery_code", code: codes[0] });
    const client = app.client().bearer(body.access_token);
    const { secret } = (await client.post("/v1/auth/mfa/setup")).body;
    const enabled = await client.post("/v1/auth/mfa/enable", { code: totp(secret ?? "", app.clock.now()) });
    expect(claimsOf(enabled.body.access_token)).toMatchObject({ aal: "aal2", amr: ["otp", "mfa"] });
  });

  t.test("is worth one refresh less than a factor where one is required", async (app) => {
    const { user, codes } = await person(app);
    await policy(app, { mfa: "required" });
    const mfa_token = await byMail(app, user.email);
    const { body } = await own(app).post(VERIFY, { mfa_token, method: "recovery_code", code: codes[0] });
    expect((await app.client().post("/v1/auth/refresh", { refresh_token: body.refresh_token })).code).toBe(
      "token_revoked",
    );
  });

  t.test("after a password is a second factor, as before", async (app) => {
    const { user, codes } = await enrolled(app);
    const { mfa_token } = (await firstFactor(app, user)).body;
    const answer = await own(app).post(VERIFY, { mfa_token, method: "recovery_code", code: codes[0] });
    expect(claimsOf(answer.body.access_token)).toMatchObject({ aal: "aal2", amr: ["pwd", "otp", "mfa"] });
  });
});

scenarios("recovery codes and the factors that they stand for", (t) => {
  t.test("go with the last factor, whichever it is, and not before", async (app) => {
    const { tokens } = await enrolled(app);
    const client = app.client().bearer(tokens.access_token);
    const { id } = await addPasskey(client, newAuthenticator());
    expect((await client.post("/v1/auth/mfa/disable")).status).toBe(200);
    expect(await codesLeft(app)).toBe(10);
    expect((await client.delete(`/v1/me/passkeys/${id}`)).status).toBe(200);
    expect(await codesLeft(app)).toBe(0);
  });

  t.test("of a person who has only passkeys go with the last passkey", async (app) => {
    const { tokens } = await app.signedIn();
    const client = app.client().bearer(tokens.accessToken);
    const { id } = await addPasskey(client, newAuthenticator());
    await raise(app, tokens.session.sid);
    const { id: other } = await addPasskey(client, newAuthenticator());
    expect((await client.post("/v1/auth/mfa/recovery-codes")).status).toBe(200);
    expect((await client.delete(`/v1/me/passkeys/${id}`)).status).toBe(200);
    expect(await codesLeft(app)).toBe(10);
    expect((await client.delete(`/v1/me/passkeys/${other}`)).status).toBe(200);
    expect(await codesLeft(app)).toBe(0);
  });
});
