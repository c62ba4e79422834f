import { expect } from "bun:test";
import type { TestApp, TestUser } from "../../support/app.ts";
import { beforeWrite } from "../../support/between.ts";
import {
  add,
  applicationOf,
  callerOf,
  changeAddress,
  deletePassword,
  emailsOf,
  forgot,
  giveEmail,
  NEW_PASSWORD,
  session,
  setApplication,
  verifyPrimary,
} from "../../support/mail-proofs.ts";
import { scenarios } from "../../support/scenarios.ts";
import { PASSWORD } from "../../support/template.ts";

const reset = (app: TestApp, token: string, new_password = NEW_PASSWORD) =>
  callerOf(app).post("/v1/auth/password/reset", { token, new_password });
const login = (app: TestApp, email: string, password: string) =>
  callerOf(app).post("/v1/auth/login", { email, password });

async function person(app: TestApp, email?: string): Promise<TestUser> {
  const user = await app.user(email);
  await verifyPrimary(app, user);
  return user;
}

/** Gives the user a passkey: only its row. */
async function givePasskey(app: TestApp, user: TestUser): Promise<void> {
  const id = crypto.randomUUID();
  await app.storage.write(async (tx) => {
    await tx.kysely
      .insertInto("totp_factors")
      .values({
        user_id: user.id,
        tenant_id: app.tenantId,
        sealed_secret: new Uint8Array(1),
        last_step: 0,
        created_at: app.clock.now(),
        enabled_at: app.clock.now(),
        last_used_at: null,
      })
      .execute();
    await tx.kysely
      .insertInto("trusted_devices")
      .values({
        id,
        tenant_id: app.tenantId,
        application_id: app.applicationId,
        user_id: user.id,
        secret_digest: new Uint8Array(1),
        user_agent: null,
        created_at: app.clock.now(),
        last_used_at: null,
        expires_at: app.clock.now() + 86_400_000,
      })
      .execute();
  });
}

scenarios("a new password by mail", (t) => {
  t.test(
    "sets it, ends every session and unfinished sign-in, trusts no device, and signs nobody in (ASVS 6.4.3, 7.4.3)",
    async (app) => {
      const user = await person(app);
      const sessions = [await app.signIn(user), await app.signIn(user, app.defaultApplicationId)];
      await app.mails();
      const application = await applicationOf(app);
      const first = { method: "password", amr: ["pwd"], delivery: "cookie" } as const;
      const flowId = await app.storage.write((tx) =>
        app.identity.secondFactors.start(tx, application, user.id, {
          ...first,
          audience: null,
          organization: null,
          isSetup: false,
        }),
      );
      await givePasskey(app, user);
      await app.mails();
      const { token, mail } = await forgot(app, user.email);
      expect(mail.template).toBe("reset_password");
      const done = await reset(app, token);
      expect([done.status, done.body as unknown]).toEqual([200, { status: "success", removed: [] }]);
      // No session: only the device is known from now on.
      expect(done.cookies.map(({ name }) => name)).toEqual(["sallyport_dv"]);
      for (const { accessToken, refreshToken } of sessions) {
        expect((await app.client().bearer(accessToken).get("/v1/auth/session")).code).toBe("token_revoked");
        const refreshed = await app.client().post("/v1/auth/refresh", { refresh_token: refreshToken });
        expect(refreshed.code).toBe("token_revoked");
      }
      expect(await app.identity.flows.find(app.storage.read, flowId, "mfa")).toBeUndefined();
      const { kysely } = app.storage.read;
      expect(await kysely.selectFrom("trusted_devices").selectAll().execute()).toEqual([]);
      // The second factor is still there.
      expect(await kysely.selectFrom("totp_factors").select("user_id").execute()).toHaveLength(1);
      expect((await login(app, user.email, PASSWORD)).status).toBe(401);
      expect((await login(app, user.email, NEW_PASSWORD)).status).toBe(200);
      const notices = await app.mails(user.email);
      expect(notices.map(({ subject }) => subject)).toContain("Your password at My application was changed");
      expect(await app.audit()).toContain("password.reset");
    },
  );

  t.test("a user with a second factor is asked for it afterwards as before (ASVS 6.4.3)", async (app) => {
    const user = await person(app);
    await setApplication(app, app.applicationId, { mfa: "required" });
    app.clock.advance(1_000);
    const { token } = await forgot(app, user.email);
    expect((await reset(app, token)).body as unknown).toEqual({ status: "success", removed: [] });
    const next = await login(app, user.email, NEW_PASSWORD);
    expect([next.status, next.body.status]).toEqual([200, "mfa_required"]);
  });

  t.test("deletes all earlier credentials if the address was never proven (pre-hijacking)", async (app) => {
    // The attacker signs up with the victim's address, sets up a second factor, and adds another address.
    const user = await app.unproven("victim@example.com");
    const attacker = await session(app, user);
    await giveEmail(app, user, "attacker@evil.example", false);
    await givePasskey(app, user);
    const pending = await add(app, attacker, "second@evil.example");
    const stolen = await forgot(app, "attacker@evil.example");
    const { token } = await forgot(app, "victim@example.com");
    const done = await reset(app, token);
    expect(done.body as unknown).toEqual({ status: "success", removed: ["address", "password", "totp"] });
    expect((await attacker.get("/v1/auth/session")).code).toBe("token_revoked");
    expect((await login(app, "victim@example.com", PASSWORD)).status).toBe(401);
    expect((await reset(app, stolen.token, "velvet-anchor-thistle-5")).code).toBe("invalid_code");
    expect((await callerOf(app).post("/v1/auth/email/verify", { token: pending.token })).code).toBe("invalid_code");
    expect(await emailsOf(app, user)).toEqual(["victim@example.com*"]);
    const sent = await callerOf(app).post("/v1/auth/password/forgot", { email: "attacker@evil.example" });
    expect([sent.status, await app.mails("attacker@evil.example")]).toEqual([202, []]);
    expect((await login(app, "victim@example.com", NEW_PASSWORD)).body.user).toMatchObject({
      id: user.id,
      email_verified: true,
    });
    expect(await app.audit()).toContain("user.unproven_credentials_revoked");
  });

  t.test("a sign-in with the old password at the time of the reset fails", async (app) => {
    const user = await app.user("victim@example.com");
    const { token } = await forgot(app, user.email);
    const answers = await Promise.all([
      ...Array.from({ length: 4 }, () => login(app, user.email, PASSWORD)),
      reset(app, token),
      ...Array.from({ length: 4 }, () => login(app, user.email, PASSWORD)),
    ]);
    expect(answers[4]?.status).toBe(200);
    for (const { body } of answers) {
      if (!body.access_token) continue;
      expect((await app.client().bearer(body.access_token).get("/v1/auth/session")).code).toBe("token_revoked");
    }
    expect((await login(app, user.email, PASSWORD)).status).toBe(401);
  });

  t.test("has the policy of sign-up, and a refusal spends nothing (ASVS 6.2.1, 6.2.4, 6.2.11)", async (app) => {
    const user = await person(app, "ada.lovelace.engine@example.com");
    const { token } = await forgot(app, user.email);
    const before = await app.state();
    for (const password of ["fourteen-chars", "passwordpassword", user.email, "ada.lovelace.engine", "x".repeat(513)]) {
      const refused = await reset(app, token, password);
      expect([password, refused.status, refused.body.error.details]).toMatchObject([
        password,
        400,
        [{ path: "new_password" }],
      ]);
    }
    expect(await app.state()).toBe(before);
    expect((await reset(app, token)).status).toBe(200);
  });

  t.test("changes of the account while the new password is hashed are seen at the end", async (app) => {
    const remove = [
      (user: TestUser) => app.disable("users", user.id),
      (user: TestUser) => app.client().bearer(app.secretKey).delete(`/v1/users/${user.id}`),
      (user: TestUser) =>
        app.storage.write(async (tx) => {
          await tx.kysely.deleteFrom("user_emails").where("user_id", "=", user.id).execute();
        }),
      async (user: TestUser) => {
        const client = await session(app, user);
        return client.post("/v1/auth/password/change", { current_password: PASSWORD, new_password: NEW_PASSWORD });
      },
    ];
    for (const [index, act] of remove.entries()) {
      const user = await person(app);
      const { token } = await forgot(app, user.email);
      let between = "";
      beforeWrite(app, 1, async () => {
        await act(user);
        between = await app.state();
      });
      const late = await reset(app, token, "velvet-anchor-thistle-5");
      expect([index, late.code]).toEqual([index, "invalid_code"]);
      expect([index, await app.state()]).toEqual([index, between]);
    }
  });

  t.test("a link from before a change of password, or to an address that was removed, opens nothing", async (app) => {
    const user = await person(app);
    const { accessToken } = await app.signIn(user);
    const client = app.client().bearer(accessToken);
    const changed = await forgot(app, user.email);
    const change = { current_password: PASSWORD, new_password: NEW_PASSWORD };
    expect((await client.post("/v1/auth/password/change", change)).status).toBe(200);
    expect((await reset(app, changed.token, "velvet-anchor-thistle-5")).code).toBe("invalid_code");
    const id = await giveEmail(app, user, "second@example.com");
    const removed = await forgot(app, "second@example.com");
    expect((await client.delete(`/v1/me/emails/${id}`)).status).toBe(200);
    expect((await reset(app, removed.token, "velvet-anchor-thistle-5")).code).toBe("invalid_code");
    // The address may belong to another person by now.
    await app.user("second@example.com");
    expect((await reset(app, removed.token, "velvet-anchor-thistle-5")).code).toBe("invalid_code");
    expect((await login(app, user.email, NEW_PASSWORD)).status).toBe(200);
  });

  t.test("an address that a thief's session was about to add is not added after the reset", async (app) => {
    const user = await person(app);
    const thief = await session(app, user);
    const pending = await add(app, thief, "thief@evil.example");
    const { token } = await forgot(app, user.email);
    const [answer] = await Promise.all([
      reset(app, token),
      ...Array.from({ length: 5 }, (_, index) => thief.post("/v1/me/emails", { email: `t${index}@evil.example` })),
    ]);
    expect(answer?.status).toBe(200);
    for (const mail of [pending.mail, ...(await app.mails())]) {
      if (!mail.to.endsWith("evil.example") || !mail.link) continue;
      const late = await callerOf(app).post("/v1/auth/email/verify", { token: mail.link });
      expect([mail.to, late.code]).toEqual([mail.to, "invalid_code"]);
    }
    expect(await emailsOf(app, user)).toEqual([`${user.email}*`]);
  });

  t.test("reset and change at once leave one working password, and only the winner's session", async (app) => {
    const user = await person(app);
    const client = await session(app, user);
    const { token } = await forgot(app, user.email);
    const changed = "velvet-anchor-thistle-5";
    const change = { current_password: PASSWORD, new_password: changed };
    await Promise.all([reset(app, token), client.post("/v1/auth/password/change", change)]);
    const good: string[] = [];
    for (const password of [PASSWORD, NEW_PASSWORD, changed]) {
      if ((await login(app, user.email, password)).status === 200) good.push(password);
    }
    expect(good).toHaveLength(1);
    expect(good).not.toContain(PASSWORD);
    if (good[0] === NEW_PASSWORD) expect((await client.get("/v1/auth/session")).code).toBe("token_revoked");
  });

  t.test("also sets a first password, and an undo of an earlier change stays possible", async (app) => {
    const user = await person(app);
    const old = user.email;
    const undo = await changeAddress(app, user, "newer@example.com");
    await deletePassword(app, user);
    const { token } = await forgot(app, "newer@example.com");
    expect((await reset(app, token)).status).toBe(200);
    expect((await login(app, "newer@example.com", NEW_PASSWORD)).status).toBe(200);
    expect((await callerOf(app).post("/v1/auth/email/undo", { token: undo })).status).toBe(200);
    expect(await emailsOf(app, user)).toEqual([`${old}*`]);
  });
});

scenarios("POST /v1/me/password", (t) => {
  const path = "/v1/me/password";
  const body = { new_password: NEW_PASSWORD };

  t.test(
    "sets a first password and ends the other sessions; twenty requests at once set one (ASVS 7.4.3)",
    async (app) => {
      const user = await person(app);
      await deletePassword(app, user);
      const { accessToken } = await app.signIn(user);
      const client = await session(app, user);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          client.post(path, { new_password: `granite-lantern-moth-${index + 10}` }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 19 }, () => 409)]);
      expect((await app.client().bearer(accessToken).get("/v1/auth/session")).code).toBe("token_revoked");
      expect((await client.get("/v1/auth/session")).status).toBe(200);
      expect((await client.post(path, body)).status).toBe(409);
      expect((await app.mails(user.email)).map(({ subject }) => subject)).toContain(
        "Your password at My application was changed",
      );
    },
  );

  t.test(
    "asks for a fresh sign-in, a good password, and an application that takes passwords (ASVS 7.5.1)",
    async (app) => {
      const user = await person(app);
      await deletePassword(app, user);
      const client = await session(app, user);
      const before = await app.state();
      expect((await client.post(path, { new_password: "passwordpassword" })).status).toBe(400);
      expect((await client.post(path, { ...body, user_id: user.id })).status).toBe(400);
      app.clock.advance(601_000);
      const late = await client.post(path, body);
      expect([late.status, late.code]).toEqual([401, "insufficient_user_authentication"]);
      app.clock.advance(-601_000);
      await setApplication(app, app.applicationId, { sign_in_methods: '["passkey"]' });
      const stateBefore = await app.state();
      expect((await client.post(path, body)).status).toBe(403);
      expect(await app.state()).toBe(stateBefore);
      expect(before).not.toBe(stateBefore);
    },
  );

  t.test("a session that ended while the password was hashed sets none", async (app) => {
    const user = await person(app);
    await deletePassword(app, user);
    const client = await session(app, user);
    const act = await app.act();
    const ending = { reason: "address_undone", keep: null, everyApplication: true } as const;
    beforeWrite(app, 1, () => app.storage.write((tx) => app.identity.sessions.endAll(tx, act, user.id, ending)));
    expect((await client.post(path, body)).code).toBe("token_revoked");
    const rows = await app.storage.read.kysely.selectFrom("password_credentials").selectAll().execute();
    expect(rows).toEqual([]);
  });
});
