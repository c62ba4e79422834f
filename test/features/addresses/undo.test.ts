import { expect } from "bun:test";
import type { TestApp, TestUser } from "../../support/app.ts";
import {
  add,
  callerOf,
  changeAddress,
  emailsOf,
  giveEmail,
  NEW_PASSWORD,
  session,
  setApplication,
  verifyPrimary,
} from "../../support/mail-proofs.ts";
import { scenarios } from "../../support/scenarios.ts";
import { PASSWORD } from "../../support/template.ts";

const HOUR = 3_600_000;
const OLD = "old@example.com";
const EVIL = "attacker@evil.example";

const undo = (app: TestApp, token: string) => callerOf(app).post("/v1/auth/email/undo", { token });
const login = (app: TestApp, email: string, password: string) =>
  callerOf(app).post("/v1/auth/login", { email, password });

async function victim(app: TestApp): Promise<TestUser> {
  const user = await app.user(OLD);
  await verifyPrimary(app, user);
  app.clock.advance(HOUR);
  return user;
}

const passwords = (app: TestApp) => app.storage.read.kysely.selectFrom("password_credentials").selectAll().execute();

async function giveFactors(app: TestApp, { id }: TestUser): Promise<void> {
  const now = app.clock.now();
  const shared = { user_id: id, tenant_id: app.tenantId, created_at: now };
  await app.storage.write(async (tx) => {
    await tx.kysely
      .insertInto("totp_factors")
      .values({ ...shared, sealed_secret: new Uint8Array(1), last_step: 0, enabled_at: now, last_used_at: null })
      .execute();
    await tx.kysely
      .insertInto("recovery_codes")
      .values({ ...shared, digest: "d", pepper_version: 1, used_at: null })
      .execute();
    await tx.kysely
      .insertInto("passkeys")
      .values({
        ...shared,
        id: crypto.randomUUID(),
        credential_id: crypto.randomUUID(),
        public_key: new Uint8Array(1),
        rp_id: "localhost",
        counter: 0,
        transports: "[]",
        aaguid: "",
        is_backup_eligible: 0,
        is_backed_up: 0,
        name: "key",
        last_used_at: null,
      })
      .execute();
  });
}

async function factors(app: TestApp): Promise<number[]> {
  const counts: number[] = [];
  for (const table of ["totp_factors", "recovery_codes", "passkeys"] as const) {
    counts.push((await app.storage.read.kysely.selectFrom(table).selectAll().execute()).length);
  }
  return counts;
}

scenarios("POST /v1/auth/email/undo", (t) => {
  t.test(
    "returns the account after an attacker has changed the address and the password and added more (ASVS 6.3.7)",
    async (app) => {
      const user = await victim(app);
      const undoLink = await changeAddress(app, user, EVIL);
      const attacker = await session(app, user);
      const change = { current_password: PASSWORD, new_password: "velvet-anchor-thistle-5" };
      expect((await attacker.post("/v1/auth/password/change", change)).status).toBe(200);
      await giveEmail(app, user, "second@evil.example");
      const pending = await add(app, attacker, "third@evil.example");
      const list = (await attacker.get("/v1/me/emails")).body.data;
      const old = list.find(({ email }) => email === OLD);
      expect((await attacker.delete(`/v1/me/emails/${old?.id}`)).status).toBe(200);
      await giveFactors(app, user);
      await app.mails();

      const done = await undo(app, undoLink);
      expect([done.status, done.body as unknown, done.cookies]).toEqual([200, { status: "success" }, []]);
      expect(await emailsOf(app, user)).toEqual([`${OLD}*`]);
      expect((await attacker.get("/v1/auth/session")).code).toBe("token_revoked");
      expect(await passwords(app)).toEqual([]);
      expect(await factors(app)).toEqual([0, 0, 0]);
      // The attacker's device is new to the account again, so its next sign-in would be reported.
      expect(await app.storage.read.kysely.selectFrom("account_devices").select("digest").execute()).toEqual([]);
      for (const email of [OLD, EVIL]) {
        for (const password of [PASSWORD, "velvet-anchor-thistle-5"]) {
          expect((await login(app, email, password)).status).toBe(401);
        }
      }
      const late = await callerOf(app).post("/v1/auth/email/verify", { token: pending.token });
      expect(late.code).toBe("invalid_code");
      for (const email of [EVIL, "second@evil.example"]) {
        await callerOf(app).post("/v1/auth/password/forgot", { email });
      }
      const mails = await app.mails();
      expect(mails.map(({ to, template }) => `${to}: ${template}`).sort()).toEqual([
        `${EVIL}: email_removed`,
        `${OLD}: access_removed`,
        `${OLD}: reset_password`,
      ]);
      const removal = mails.find(({ template }) => template === "access_removed");
      expect(removal?.text).toContain("Removed: password, authenticator app, recovery codes, passkey");
      const reset = {
        token: mails.find(({ template }) => template === "reset_password")?.link,
        new_password: NEW_PASSWORD,
      };
      expect((await callerOf(app).post("/v1/auth/password/reset", reset)).status).toBe(200);
      expect((await login(app, OLD, NEW_PASSWORD)).body.user.id).toBe(user.id);
      expect((await undo(app, undoLink)).code).toBe("invalid_code");
      expect(await app.audit()).toContain("email.change_undone");
    },
  );

  t.test(
    "keeps the second factors from before, so that a mailbox alone cannot get around them (ASVS 6.4.3)",
    async (app) => {
      const user = await victim(app);
      await giveFactors(app, user);
      app.clock.advance(HOUR);
      const link = await changeAddress(app, user, EVIL);
      expect((await undo(app, link)).status).toBe(200);
      expect(await factors(app)).toEqual([1, 1, 1]);
    },
  );

  t.test("takes away no address that was proven a week before the change, and every newer one", async (app) => {
    const user = await victim(app);
    await giveEmail(app, user, "long@example.com");
    app.clock.advance(7 * 24 * HOUR);
    await giveEmail(app, user, "late@evil.example");
    const link = await changeAddress(app, user, EVIL);
    app.clock.advance(HOUR);
    await giveEmail(app, user, "after@evil.example");
    await giveEmail(app, user, "unproven@evil.example", false);
    expect((await undo(app, link)).status).toBe(200);
    expect(await emailsOf(app, user)).toEqual([`${OLD}*`, "long@example.com"]);
  });

  t.test("restores an address that was removed beside one that was long proven", async (app) => {
    const user = await victim(app);
    const long = await giveEmail(app, user, "long@example.com");
    app.clock.advance(7 * 24 * HOUR);
    const link = await changeAddress(app, user, EVIL);
    const attacker = await session(app, user);
    expect((await attacker.post(`/v1/me/emails/${long}/primary`)).status).toBe(200);
    const old = (await attacker.get("/v1/me/emails")).body.data.find(({ email }) => email === OLD);
    expect((await attacker.delete(`/v1/me/emails/${old?.id}`)).status).toBe(200);
    expect((await undo(app, link)).status).toBe(200);
    expect(await emailsOf(app, user)).toEqual([`${OLD}*`, "long@example.com"]);
  });

  t.test(
    "gives the reader of a given up mailbox no link after a change to an address of long standing",
    async (app) => {
      const user = await victim(app);
      const long = await giveEmail(app, user, "long@example.com");
      app.clock.advance(7 * 24 * HOUR);
      const owner = await session(app, user);
      expect((await owner.post(`/v1/me/emails/${long}/primary`)).status).toBe(200);
      const [told, ...more] = (await app.mails(OLD)).filter(({ template }) => template === "email_changed");
      expect([told?.link, more]).toEqual([null, []]);
    },
  );

  t.test("works once, for seven days", async (app) => {
    const user = await victim(app);
    const link = await changeAddress(app, user, EVIL);
    app.clock.advance(7 * 24 * HOUR);
    expect((await undo(app, link)).code).toBe("invalid_code");
    app.clock.advance(-1);
    const answers = await Promise.all(Array.from({ length: 20 }, () => undo(app, link)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 19 }, () => 401)]);
    expect((await app.mails(OLD)).map(({ template }) => template)).toEqual(["access_removed", "reset_password"]);
  });

  t.test("an attacker who changes the address twice cannot end the owner's undo with another", async (app) => {
    const user = await victim(app);
    const owners = await changeAddress(app, user, EVIL);
    app.clock.advance(1);
    const second = await giveEmail(app, user, "second@evil.example");
    const attacker = await session(app, user);
    expect((await attacker.post(`/v1/me/emails/${second}/primary`)).status).toBe(200);
    const theirs = (await app.mails(EVIL)).find(({ link }) => link !== null)?.link ?? "";
    expect((await undo(app, theirs)).status).toBe(200);
    expect(await emailsOf(app, user)).toEqual([`${EVIL}*`]);
    expect((await undo(app, owners)).status).toBe(200);
    expect(await emailsOf(app, user)).toEqual([`${OLD}*`]);
  });

  t.test("the owner's undo ends the attacker's later one", async (app) => {
    const user = await victim(app);
    const owners = await changeAddress(app, user, EVIL);
    app.clock.advance(1);
    const second = await giveEmail(app, user, "second@evil.example");
    const attacker = await session(app, user);
    expect((await attacker.post(`/v1/me/emails/${second}/primary`)).status).toBe(200);
    const theirs = (await app.mails(EVIL)).find(({ link }) => link !== null)?.link ?? "";
    expect((await undo(app, owners)).status).toBe(200);
    expect((await undo(app, theirs)).code).toBe("invalid_code");
    expect(await emailsOf(app, user)).toEqual([`${OLD}*`]);
  });

  t.test("an attacker who moves to another address and back gets no link to return with", async (app) => {
    const user = await victim(app);
    await changeAddress(app, user, EVIL);
    const attacker = await session(app, user);
    const old = (await attacker.get("/v1/me/emails")).body.data.find(({ email }) => email === OLD);
    expect((await attacker.post(`/v1/me/emails/${old?.id}/primary`)).status).toBe(200);
    const [told, ...more] = (await app.mails(EVIL)).filter(({ template }) => template === "email_changed");
    expect([told?.link, told?.text.includes("undo"), more]).toEqual([null, false, []]);
    expect(told?.text).toContain(`now uses ${OLD} instead of ${EVIL}`);
  });

  t.test("takes the old address from an account that has signed up with it unproven meanwhile", async (app) => {
    const user = await victim(app);
    const link = await changeAddress(app, user, EVIL);
    const attacker = await session(app, user);
    const old = (await attacker.get("/v1/me/emails")).body.data.find(({ email }) => email === OLD);
    expect((await attacker.delete(`/v1/me/emails/${old?.id}`)).status).toBe(200);
    // The attacker locks the owner out: another account of the attacker holds the address.
    const bolt = await callerOf(app).post("/v1/auth/register", { email: OLD, password: NEW_PASSWORD });
    expect(bolt.status).toBe(201);
    expect((await undo(app, link)).status).toBe(200);
    expect(await emailsOf(app, user)).toEqual([`${OLD}*`]);
    expect(await emailsOf(app, bolt.body.user)).toEqual([]);
    expect((await login(app, OLD, NEW_PASSWORD)).status).toBe(401);
  });

  t.test(
    "leaves an account that loses the old address its proven one, as the primary one, and tells it",
    async (app) => {
      const user = await victim(app);
      const link = await changeAddress(app, user, EVIL);
      const client = await session(app, user);
      const old = (await client.get("/v1/me/emails")).body.data.find(({ email }) => email === OLD);
      expect((await client.delete(`/v1/me/emails/${old?.id}`)).status).toBe(200);
      const holder = await app.unproven(OLD);
      await giveEmail(app, holder, "proven@example.com");
      await app.mails();
      expect((await undo(app, link)).status).toBe(200);
      expect([await emailsOf(app, user), await emailsOf(app, holder)]).toEqual([[`${OLD}*`], ["proven@example.com*"]]);
      expect((await app.mail("proven@example.com")).template).toBe("email_removed");
    },
  );

  t.test("is refused, and not spent, if another person has proven the old address meanwhile", async (app) => {
    const user = await victim(app);
    const link = await changeAddress(app, user, EVIL);
    const client = await session(app, user);
    const old = (await client.get("/v1/me/emails")).body.data.find(({ email }) => email === OLD);
    expect((await client.delete(`/v1/me/emails/${old?.id}`)).status).toBe(200);
    const heir = await app.user(OLD);
    await verifyPrimary(app, heir);
    const before = await app.state();
    const refused = await undo(app, link);
    expect([refused.status, refused.code]).toEqual([409, "conflict"]);
    expect(await app.state()).toBe(before);
    expect((await login(app, OLD, PASSWORD)).body.user.id).toBe(heir.id);
    await app.client().bearer(app.secretKey).delete(`/v1/users/${heir.id}`);
    expect((await undo(app, link)).status).toBe(200);
  });

  t.test("mails no way to a password in an application that has no sign-in by password", async (app) => {
    const user = await victim(app);
    const link = await changeAddress(app, user, EVIL);
    await setApplication(app, app.applicationId, { sign_in_methods: '["passkey"]' });
    expect((await undo(app, link)).status).toBe(200);
    expect((await app.mails(OLD)).map(({ template }) => template)).toEqual(["access_removed"]);
  });

  t.test("a change at the same time does not survive it", async (app) => {
    const user = await victim(app);
    const link = await changeAddress(app, user, EVIL);
    const ids = [await giveEmail(app, user, "a@evil.example"), await giveEmail(app, user, "b@evil.example")];
    const attacker = await session(app, user);
    const [done] = await Promise.all([
      undo(app, link),
      ...ids.map((id) => attacker.post(`/v1/me/emails/${id}/primary`)),
      attacker.post("/v1/me/emails", { email: "c@evil.example" }),
    ]);
    expect(done?.status).toBe(200);
    expect(await emailsOf(app, user)).toEqual([`${OLD}*`]);
    for (const mail of await app.mails()) {
      if (!mail.to.endsWith("evil.example") || !mail.link) continue;
      for (const path of ["/v1/auth/email/verify", "/v1/auth/email/undo"]) {
        expect([mail.to, (await callerOf(app).post(path, { token: mail.link })).code]).toEqual([
          mail.to,
          "invalid_code",
        ]);
      }
    }
  });
});
