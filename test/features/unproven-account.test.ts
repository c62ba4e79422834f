import { expect } from "bun:test";
import type { TestApp } from "../support/app.ts";
import type { Client } from "../support/client.ts";
import { callerOf, emailsOf, forgot, NEW_PASSWORD, unprove } from "../support/mail-proofs.ts";
import { allowMail, completeBy, MAIL_METHODS, mailTo } from "../support/mailed-links.ts";
import { addPasskey, newAuthenticator, signInWith } from "../support/passkeys.ts";
import { scenarios } from "../support/scenarios.ts";
import { policy } from "../support/second-factors.ts";
import { PASSWORD } from "../support/template.ts";
import { totp } from "../support/totp.ts";

const ADDRESS = "owner@example.com";

/** Signs up in the stock configuration, and returns the session and the mail of the sign-up. */
async function register(app: TestApp) {
  const { status, body } = await callerOf(app).post("/v1/auth/register", { email: ADDRESS, password: PASSWORD });
  expect([status, body.status]).toEqual([201, "success"]);
  const mail = await app.mail(ADDRESS);
  return { client: callerOf(app).bearer(body.access_token), user: body.user, mail };
}

/** Proves the address as the SDK's dialogs do: with the code of the mail, in the session. */
async function confirm(app: TestApp, client: Client, code: string | null) {
  const { status, body } = await client.post("/v1/auth/email/proof");
  expect([status, await app.mails()]).toEqual([202, []]);
  return client.post("/v1/auth/email/verify", { flow_id: body.flow_id, code });
}

async function addTotp(app: TestApp, client: Client) {
  const { secret } = (await client.post("/v1/auth/mfa/setup")).body;
  const enabled = await client.post("/v1/auth/mfa/enable", { code: totp(secret ?? "", app.clock.now()) });
  expect(enabled.status).toBe(200);
  for (const kept of [secret ?? "", ...enabled.body.recovery_codes]) app.secrets.add(kept);
  app.clock.advance(30_000);
  return { secret: secret ?? "", codes: enabled.body.recovery_codes, client: client.bearer(enabled.body.access_token) };
}

/** Every request that adds a factor. */
const ENROLMENTS = [
  ["/v1/auth/mfa/setup", {}],
  ["/v1/auth/mfa/enable", { code: "123456" }],
  ["/v1/auth/mfa/recovery-codes", {}],
  ["/v1/me/passkeys/begin", {}],
] as const;

scenarios("an account whose only address is unproven", (t) => {
  t.test("gets the mail that proves it with every sign-up, in the stock configuration", async (app) => {
    const { mail } = await register(app);
    expect([mail.template, mail.link === null, mail.code === null]).toEqual(["verify_email", false, false]);
    expect(mail.text).toContain("Account: o•••@example.com");
    expect(mail.text).toMatch(/Asked for by: Bun\nNetwork address: 127\.0\.0\.1\nTime: 2026-03-01 12:00 UTC/);
  });

  t.test("takes no factor before the proof, and every factor after it", async (app) => {
    const { client, mail, user } = await register(app);
    const before = await app.storage.read.kysely.selectFrom("totp_factors").selectAll().execute();
    for (const [path, body] of ENROLMENTS) {
      const refused = await client.post(path, body);
      expect([path, refused.status, refused.code]).toEqual([
        path,
        ...(path === "/v1/auth/mfa/enable" ? [401, "invalid_code"] : [403, "address_unproven"]),
      ]);
    }
    expect(await app.storage.read.kysely.selectFrom("totp_factors").selectAll().execute()).toEqual(before);
    expect((await confirm(app, client, mail.code)).status).toBe(200);
    expect(await emailsOf(app, user)).toEqual([`${ADDRESS}*`]);
    await addPasskey(client, newAuthenticator());
    // The account's own session proved the address, so the password stays and nothing is removed.
    expect((await callerOf(app).post("/v1/auth/login", { email: ADDRESS, password: PASSWORD })).status).toBe(200);
    expect(await app.audit()).not.toContain("user.unproven_credentials_revoked");
  });

  t.test("takes no factor whose set-up began while the address was proven", async (app) => {
    const { client, mail, user } = await register(app);
    await confirm(app, client, mail.code);
    const { secret } = (await client.post("/v1/auth/mfa/setup")).body;
    app.secrets.add(secret ?? "");
    await unprove(app, user);
    const enabled = await client.post("/v1/auth/mfa/enable", { code: totp(secret ?? "", app.clock.now()) });
    expect(enabled.code).toBe("address_unproven");
  });

  t.test("is asked for the proof in a set-up that a sign-in requires, and needs no session for it", async (app) => {
    await policy(app, { mfa: "required" });
    const body = { email: ADDRESS, password: PASSWORD };
    const { mfa_token, status } = (await callerOf(app).post("/v1/auth/register", body)).body;
    expect(status).toBe("mfa_required");
    const { code, link } = await app.mail(ADDRESS);
    const half = callerOf(app);
    expect((await half.post("/v1/auth/mfa/setup", { mfa_token })).code).toBe("address_unproven");
    // The mail alone proves nothing: its reader may not be the person who signs up.
    expect((await half.post("/v1/auth/email/verify", { token: link })).code).toBe("asking_session_required");
    const { flow_id } = (await half.post("/v1/auth/email/proof", { mfa_token })).body;
    expect((await half.post("/v1/auth/email/verify", { flow_id, code, mfa_token })).status).toBe(200);
    const { secret } = (await half.post("/v1/auth/mfa/setup", { mfa_token })).body;
    app.secrets.add(secret ?? "");
    const enabled = await half.post("/v1/auth/mfa/enable", { mfa_token, code: totp(secret ?? "", app.clock.now()) });
    expect([enabled.status, enabled.body.user.email_verified]).toEqual([200, true]);
    for (const kept of enabled.body.recovery_codes) app.secrets.add(kept);
  });

  t.test("another account's session or half sign-in proves nothing", async (app) => {
    const { mail, user } = await register(app);
    const other = await app.user();
    const { accessToken } = await app.signIn(other);
    const proof = { token: mail.link };
    const beside = callerOf(app).bearer(accessToken);
    expect((await beside.post("/v1/auth/email/verify", proof)).code).toBe("asking_session_required");
    await policy(app, { mfa: "required" });
    const { mfa_token } = (await callerOf(app).post("/v1/auth/login", other.login)).body;
    const halfway = await callerOf(app).post("/v1/auth/email/verify", { ...proof, mfa_token });
    expect(halfway.code).toBe("asking_session_required");
    const nonsense = await callerOf(app).post("/v1/auth/email/verify", { ...proof, mfa_token: "nonsense" });
    expect(nonsense.code).toBe("invalid_code");
    expect(await emailsOf(app, user)).toEqual([`${ADDRESS}*?`]);
  });

  t.test("names the mail on its way, sends another on request, and none for a proven address", async (app) => {
    const { client, mail } = await register(app);
    const first = await client.post("/v1/auth/email/proof");
    expect([first.status, await app.mails()]).toEqual([202, []]);
    const again = await client.post("/v1/auth/email/proof", { again: true });
    const { code } = await app.mail(ADDRESS);
    expect(again.body.flow_id).not.toBe(first.body.flow_id);
    const wrong = {
      flow_id: again.body.flow_id,
      code: code?.replaceAll(/\d/g, (digit) => String((Number(digit) + 1) % 10)),
    };
    for (let i = 0; i < 5; i++) expect((await client.post("/v1/auth/email/verify", wrong)).code).toBe("invalid_code");
    // A mail whose code was guessed at too often is of no use.
    const third = await client.post("/v1/auth/email/proof");
    expect(third.body.flow_id).toBe(first.body.flow_id);
    const right = { flow_id: first.body.flow_id, code: mail.code };
    expect((await client.post("/v1/auth/email/verify", right)).status).toBe(200);
    expect((await client.post("/v1/auth/email/proof")).code).toBe("conflict");
  });

  t.test(
    "a used-up mail budget of the address refuses no sign-up",
    async (app) => {
      for (const mails of [1, 1, 0]) {
        const body = { email: ADDRESS, password: PASSWORD };
        const made = await callerOf(app).post("/v1/auth/register", body);
        expect([made.status, (await app.mails()).length]).toEqual([201, mails]);
        await callerOf(app).bearer(app.secretKey).delete(`/v1/users/${made.body.user.id}`);
        await app.mails();
      }
    },
    { settings: { limit_mail_account: "2/1h" } },
  );
});

scenarios("a mailbox alone", (t) => {
  t.test("does not get around TOTP and a passkey by a reset: the sign-in asks for one of them", async (app) => {
    const { client, mail } = await register(app);
    await confirm(app, client, mail.code);
    const passkey = newAuthenticator();
    await addPasskey(client, passkey);
    const stepped = await signInWith(callerOf(app), passkey);
    const { secret } = await addTotp(app, callerOf(app).bearer(stepped.body.access_token));
    await app.mails();
    const { token } = await forgot(app, ADDRESS);
    const reset = await callerOf(app).post("/v1/auth/password/reset", { token, new_password: NEW_PASSWORD });
    expect(reset.body as unknown).toEqual({ status: "success", removed: [] });
    const next = await callerOf(app).post("/v1/auth/login", { email: ADDRESS, password: NEW_PASSWORD });
    expect([next.body.status, next.body.methods]).toEqual(["mfa_required", ["totp", "passkey", "recovery_code"]]);
    const proof = { mfa_token: next.body.mfa_token, method: "totp", code: totp(secret, app.clock.now()) };
    expect((await callerOf(app).post("/v1/auth/mfa/verify", proof)).status).toBe(200);
    expect((await signInWith(callerOf(app), passkey)).status).toBe(200);
  });

  for (const method of MAIL_METHODS) {
    t.test(`beside the account's own session, a sign-in by ${method} removes nothing`, async (app) => {
      await allowMail(app, ["password", "passkey", ...MAIL_METHODS]);
      // An account from before factors needed a proven address.
      const { client, mail, user } = await register(app);
      await confirm(app, client, mail.code);
      const { secret, client: strong } = await addTotp(app, client);
      await unprove(app, user);
      await app.mails();
      const { flowId, link, code } = await mailTo(app, ADDRESS, method, callerOf(app));
      const signedIn = await completeBy(
        strong,
        link === "" ? { flow_id: flowId, code } : { token: link, flow_id: flowId },
      );
      expect([signedIn.status, signedIn.body.status]).toEqual([200, "mfa_required"]);
      expect(await emailsOf(app, user)).toEqual([`${ADDRESS}*`]);
      const answer = { mfa_token: signedIn.body.mfa_token, method: "totp", code: totp(secret, app.clock.now()) };
      expect((await callerOf(app).post("/v1/auth/mfa/verify", answer)).status).toBe(200);
      expect(await app.audit()).not.toContain("user.unproven_credentials_revoked");
    });
  }

  t.test("beside the account's own session, a reset removes nothing but the old password", async (app) => {
    const { client, mail, user } = await register(app);
    await confirm(app, client, mail.code);
    const { client: strong } = await addTotp(app, client);
    await unprove(app, user);
    await app.mails();
    const { token } = await forgot(app, ADDRESS);
    const done = await strong.post("/v1/auth/password/reset", { token, new_password: NEW_PASSWORD });
    expect(done.body as unknown).toEqual({ status: "success", removed: [] });
    const next = await callerOf(app).post("/v1/auth/login", { email: ADDRESS, password: NEW_PASSWORD });
    expect(next.body.status).toBe("mfa_required");
  });

  t.test("and an ended session of the account removes everything, and the mail names it", async (app) => {
    const { client, mail, user } = await register(app);
    await confirm(app, client, mail.code);
    await addTotp(app, client);
    await unprove(app, user);
    await app.mails();
    const { token } = await forgot(app, ADDRESS);
    // The set-up ended this session.
    const done = await client.post("/v1/auth/password/reset", { token, new_password: NEW_PASSWORD });
    expect(done.body as unknown).toEqual({ status: "success", removed: ["password", "totp", "recovery_codes"] });
    const mails = await app.mails(ADDRESS);
    const told = mails.find(({ template }) => template === "access_removed");
    expect(told?.text).toContain("Removed: password, authenticator app, recovery codes\n");
    expect((await callerOf(app).post("/v1/auth/login", { email: ADDRESS, password: NEW_PASSWORD })).body.status).toBe(
      "success",
    );
  });

  t.test("of a stranger's account takes it over: the stranger's password and session do not survive", async (app) => {
    const stranger = await register(app);
    for (const [path] of ENROLMENTS.filter(([path]) => path !== "/v1/auth/mfa/enable")) {
      expect((await stranger.client.post(path, {})).code).toBe("address_unproven");
    }
    const { token } = await forgot(app, ADDRESS);
    const done = await callerOf(app).post("/v1/auth/password/reset", { token, new_password: NEW_PASSWORD });
    expect(done.body as unknown).toEqual({ status: "success", removed: ["password"] });
    expect((await stranger.client.get("/v1/auth/session")).code).toBe("token_revoked");
    expect((await callerOf(app).post("/v1/auth/login", { email: ADDRESS, password: PASSWORD })).status).toBe(401);
    const owner = await callerOf(app).post("/v1/auth/login", { email: ADDRESS, password: NEW_PASSWORD });
    expect(owner.body.status).toBe("success");
  });
});
