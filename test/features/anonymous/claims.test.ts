import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import { add, callerOf, setApplication } from "../../support/mail-proofs.ts";
import { anonymousUser } from "../../support/own-affairs.ts";
import { addPasskey, newAuthenticator, signInWith } from "../../support/passkeys.ts";
import { scenarios } from "../../support/scenarios.ts";
import { claimsOf } from "../../support/tokens.ts";

const EVERY = '["password","passkey","magic_link","email_code","anonymous"]';
const EMAIL = "ada@example.com";
const PASSWORD = "granite-lantern-moth-88";

/** Makes an anonymous user, and then applies the policy under which the user tries to become a person. */
async function guest(app: TestApp, policy: Parameters<typeof setApplication>[2] = {}) {
  await setApplication(app, app.applicationId, { sign_in_methods: EVERY });
  const { body } = await anonymousUser(app, { cart: [1] });
  await setApplication(app, app.applicationId, { sign_in_methods: EVERY, ...policy });
  return { id: body.user.id, refreshToken: body.refresh_token, client: callerOf(app).bearer(body.access_token) };
}

const isAnonymous = async (app: TestApp, id: string) =>
  (await app.storage.read.kysely.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirstOrThrow())
    .is_anonymous === 1;

/** Proves an address by the mailed code, in the session that asked. */
async function prove(app: TestApp, client: ReturnType<TestApp["client"]>) {
  const { flowId, code } = await add(app, client, EMAIL);
  return client.post("/v1/auth/email/verify", { flow_id: flowId, code });
}

const signInByCode = async (app: TestApp) => {
  await app.mails(EMAIL);
  const sent = await callerOf(app).post("/v1/auth/email/start", { email: EMAIL, method: "email_code" });
  const { code } = await app.mail(EMAIL);
  return callerOf(app).post("/v1/auth/email/complete", { flow_id: sent.body.flow_id, code });
};

scenarios("an anonymous user who becomes a person", (t) => {
  t.test("keeps the session where nothing more is asked, whichever proof comes", async (app) => {
    const [first, second] = [await guest(app), await guest(app)];
    expect((await prove(app, first.client)).status).toBe(200);
    await addPasskey(second.client, newAuthenticator());
    for (const { id, client, refreshToken } of [first, second]) {
      expect(await isAnonymous(app, id)).toBe(false);
      expect((await client.get("/v1/auth/session")).status).toBe(200);
      expect((await app.client().post("/v1/auth/refresh", { refresh_token: refreshToken })).status).toBe(200);
    }
    expect((await app.audit()).filter((action) => action === "user.upgraded")).toHaveLength(2);
  });

  t.test("is nobody where sign-up is closed: no proof, password or passkey is taken", async (app) => {
    const { id, client } = await guest(app);
    const { token } = await add(app, client, EMAIL);
    const authenticator = newAuthenticator();
    const begun = await client.post("/v1/me/passkeys/begin");
    await setApplication(app, app.applicationId, { sign_up: "closed" });
    const { flow_id, public_key } = begun.body as unknown as { flow_id: string; public_key: never };
    const before = await app.state();
    const answers = [
      await client.post("/v1/auth/email/verify", { token }),
      await client.post("/v1/me/emails", { email: "other@example.com" }),
      await client.post("/v1/me/password", { new_password: PASSWORD }),
      await client.post("/v1/me/passkeys/begin"),
      await client.post("/v1/me/passkeys/complete", { flow_id, response: authenticator.create(public_key) }),
      await client.post("/v1/auth/anonymous/upgrade", { email: "other@example.com", password: PASSWORD }),
    ];
    expect(answers.map(({ status, code }) => [status, code])).toEqual(answers.map(() => [403, "forbidden"]));
    expect(await isAnonymous(app, id)).toBe(true);
    expect(await app.state()).toBe(before);
  });

  t.test("proves an address first where every account needs a proven one", async (app) => {
    const { id, client } = await guest(app, { sign_up: "verified" });
    expect((await client.post("/v1/me/passkeys/begin")).code).toBe("forbidden");
    expect((await prove(app, client)).status).toBe(200);
    await addPasskey(client, newAuthenticator());
    expect(await isAnonymous(app, id)).toBe(false);
  });

  t.test("never gets a password without an address, which would open nothing", async (app) => {
    const { id, client } = await guest(app);
    expect((await client.post("/v1/me/password", { new_password: PASSWORD })).code).toBe("forbidden");
    expect(await isAnonymous(app, id)).toBe(true);
  });

  t.test("gets no credential that opens nothing in this application", async (app) => {
    const { client } = await guest(app, { sign_in_methods: '["anonymous"]' });
    expect((await client.post("/v1/me/passkeys/begin")).code).toBe("forbidden");
    expect((await client.post("/v1/me/emails", { email: EMAIL })).code).toBe("forbidden");
  });
});

scenarios("an anonymous user who becomes a person where a second factor is required", (t) => {
  t.test("signs in with the new address, and has to set a factor up", async (app) => {
    const { id, client, refreshToken } = await guest(app, { mfa: "required" });
    expect((await prove(app, client)).status).toBe(200);
    expect(await isAnonymous(app, id)).toBe(false);
    expect((await client.get("/v1/auth/session")).code).toBe("token_revoked");
    expect((await app.client().post("/v1/auth/refresh", { refresh_token: refreshToken })).status).toBe(401);
    const signedIn = await signInByCode(app);
    expect(signedIn.body).toMatchObject({ status: "mfa_required", setup_required: true });
  });

  t.test("signs in with a passkey that proves two factors, or sets one up after one that does not", async (app) => {
    for (const userVerified of [true, false]) {
      const { client } = await guest(app, { mfa: "required" });
      const authenticator = newAuthenticator();
      await addPasskey(client, authenticator, { userVerified });
      // The session of the anonymous user proved nothing.
      expect((await client.get("/v1/auth/session")).code).toBe("token_revoked");
      const { body } = await signInWith(callerOf(app), authenticator, { userVerified });
      if (userVerified) expect(claimsOf(body.access_token)).toMatchObject({ aal: "aal2" });
      else expect(body).toMatchObject({ status: "mfa_required", setup_required: true });
    }
  });
});
