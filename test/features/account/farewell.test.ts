import { expect } from "bun:test";
import { DAY } from "../../../src/core/clock.ts";
import type { TestApp, TestUser } from "../../support/app.ts";
import { changeAddress, giveEmail, NEW_PASSWORD, session, verifyPrimary } from "../../support/mail-proofs.ts";
import { backend } from "../../support/management.ts";
import { scenarios } from "../../support/scenarios.ts";
import { dump } from "../../support/tables.ts";

const restore = (app: TestApp, token: string | null) =>
  app.client({ "x-application-id": app.applicationId }).post("/v1/auth/account/restore", { token });

/** A person with a proven address, a name and metadata. */
async function person(app: TestApp, email = "ada@example.com"): Promise<TestUser> {
  app.secrets.add(NEW_PASSWORD);
  const user = await app.user(email);
  await verifyPrimary(app, user);
  const profile = { external_id: email, display_name: "Ada Lovelace", metadata: { a: 1 }, private_metadata: { b: 2 } };
  await backend(app).patch(`/v1/users/${user.id}`, profile);
  app.clock.advance(1);
  return user;
}

async function deleteOwn(app: TestApp, user: TestUser): Promise<void> {
  const client = await session(app, user);
  await app.mails();
  expect((await client.delete("/v1/me")).status).toBe(200);
}

const byAddress = async (app: TestApp) =>
  Object.fromEntries((await app.mails()).map((mail) => [mail.to, mail])) as Record<
    string,
    Awaited<ReturnType<TestApp["mails"]>>[number]
  >;

scenarios("a notice of a deletion", (t) => {
  t.test(
    "has a way back: the link restores the id, the profile and the address, and leads to a password",
    async (app) => {
      const user = await person(app);
      await deleteOwn(app, user);
      const mail = await app.mail(user.email);
      expect([mail.template, mail.link === null]).toEqual(["account_deleted", false]);
      const described = await app.client().post("/v1/auth/link", { token: mail.link });
      expect(described.body as unknown).toMatchObject({ kind: "restore_account", email: null, works_here: true });
      app.clock.advance(7 * DAY - 10_000);
      expect((await restore(app, mail.link)).body.status).toBe("success");
      const restored = await backend(app).get(`/v1/users/${user.id}`);
      expect(restored.body).toMatchObject({
        id: user.id,
        email: user.email,
        email_verified: true,
        external_id: user.email,
        display_name: "Ada Lovelace",
        metadata: { a: 1 },
        private_metadata: { b: 2 },
      });
      expect(await app.audit()).toContain("user.restored");
      // No credential comes back: an intruder may have known or added it.
      expect((await app.client().post("/v1/auth/login", user.login)).code).toBe("invalid_credentials");
      const reset = await app.mail(user.email);
      const body = { token: reset.link, new_password: NEW_PASSWORD };
      expect(
        (await app.client({ "x-application-id": app.applicationId }).post("/v1/auth/password/reset", body)).status,
      ).toBe(200);
      const login = await app.client().post("/v1/auth/login", { email: user.email, password: NEW_PASSWORD });
      expect([login.status, login.body.user.id]).toEqual([200, user.id]);
      expect((await restore(app, mail.link)).code).toBe("invalid_code");
    },
  );

  t.test("the kept copy is readable by nobody without the mail, and is gone after seven days", async (app) => {
    const user = await person(app);
    await deleteOwn(app, user);
    const { link } = await app.mail(user.email);
    const { users, audit_entries, revocations, outbox_mails, ...rest } = await dump(app.storage);
    const text = JSON.stringify(rest);
    for (const trace of [user.id, user.email, "Lovelace", link ?? ""]) expect(text).not.toContain(trace);
    app.clock.advance(7 * DAY);
    expect((await restore(app, link)).code).toBe("invalid_code");
    app.clock.advance(2 * DAY);
    await app.app.jobs.find(({ name }) => name === "retention")?.run();
    expect((await dump(app.storage)).flows).toEqual([]);
  });

  t.test("goes to an address that was removed in the last seven days, from which the owner comes back", async (app) => {
    const owner = await person(app);
    // An intruder moves the account to another address, removes the owner's, and deletes the account.
    await changeAddress(app, owner, "eve@evil.example");
    const rows = await app.storage.read.kysely.selectFrom("user_emails").selectAll().execute();
    const old = rows.find(({ address }) => address === owner.email)?.id;
    const intruder = await session(app, owner);
    expect((await intruder.delete(`/v1/me/emails/${old}`)).status).toBe(200);
    app.clock.advance(6 * DAY);
    await deleteOwn(app, { ...owner, login: { ...owner.login, email: "eve@evil.example" } });
    const mails = await byAddress(app);
    expect(Object.keys(mails).sort()).toEqual([owner.email, "eve@evil.example"]);
    expect((await restore(app, mails[owner.email]?.link ?? null)).status).toBe(200);
    // The account has the owner's address alone, and the intruder had no link.
    expect((await backend(app).get(`/v1/users/${owner.id}`)).body).toMatchObject({ email: owner.email });
    expect(mails["eve@evil.example"]?.link).toBeNull();
    expect((await app.mail(owner.email)).template).toBe("reset_password");
  });

  t.test("has no link for an intruder's address of this week, by which the intruder could be first", async (app) => {
    const owner = await person(app);
    await giveEmail(app, owner, "eve@evil.example");
    await deleteOwn(app, owner);
    const mails = await byAddress(app);
    expect([mails[owner.email]?.link === null, mails["eve@evil.example"]?.link]).toEqual([false, null]);
    const late = await person(app, "bob@example.com");
    await giveEmail(app, late, "bob@work.example");
    app.clock.advance(7 * DAY);
    await deleteOwn(app, late);
    const links = await byAddress(app);
    expect([links[late.email]?.link === null, links["bob@work.example"]?.link === null]).toEqual([false, false]);
    // The first link that is used ends the others.
    expect((await restore(app, links["bob@work.example"]?.link ?? null)).status).toBe(200);
    expect((await restore(app, links[late.email]?.link ?? null)).code).toBe("invalid_code");
  });

  t.test("has no link for an address that joined later and was removed, and none after seven days", async (app) => {
    const user = await person(app);
    // The owner removes an intruder's address, and later deletes the account.
    const id = await giveEmail(app, user, "eve@evil.example");
    await (await session(app, user)).delete(`/v1/me/emails/${id}`);
    app.clock.advance(DAY);
    await deleteOwn(app, user);
    const mails = await byAddress(app);
    expect([mails[user.email]?.link === null, mails["eve@evil.example"]?.link]).toEqual([false, null]);
    const late = await person(app, "bob@example.com");
    const another = await giveEmail(app, late, "old@example.com");
    await (await session(app, late)).delete(`/v1/me/emails/${another}`);
    app.clock.advance(7 * DAY);
    await deleteOwn(app, late);
    expect(Object.keys(await byAddress(app))).toEqual([late.email]);
  });

  t.test(
    "an undone change of address forgets the intruder's addresses: they hear of no later deletion",
    async (app) => {
      const owner = await person(app);
      const second = await giveEmail(app, owner, "eve2@evil.example");
      const undo = await changeAddress(app, owner, "eve@evil.example");
      await (await session(app, owner)).delete(`/v1/me/emails/${second}`);
      const own = app.client({ "x-application-id": app.applicationId });
      expect((await own.post("/v1/auth/email/undo", { token: undo })).status).toBe(200);
      await app.mails();
      await app.storage.write(async (tx) => app.identity.accounts.delete(tx, await app.act(), owner.id));
      expect(Object.keys(await byAddress(app))).toEqual([owner.email]);
    },
  );

  t.test(
    "is sent when a backend deletes the account too, without a link: an operator's removal stands",
    async (app) => {
      const user = await person(app);
      await giveEmail(app, user, "second@example.com");
      await giveEmail(app, user, "unproven@example.com", false);
      await backend(app).delete(`/v1/users/${user.id}`);
      const mails = await byAddress(app);
      expect(Object.keys(mails).sort()).toEqual([user.email, "second@example.com"]);
      expect(Object.values(mails).map(({ template, link }) => [template, link])).toEqual([
        ["account_deleted", null],
        ["account_deleted", null],
      ]);
    },
  );

  t.test("the way back never takes a proven address from another account, and takes an unproven one", async (app) => {
    const user = await person(app);
    await deleteOwn(app, user);
    const { link } = await app.mail(user.email);
    const heir = await app.user(user.email);
    await verifyPrimary(app, heir);
    const refused = await restore(app, link);
    expect([refused.status, refused.code]).toEqual([409, "conflict"]);
    await app.storage.write(
      async ({ kysely }) => void (await kysely.updateTable("user_emails").set({ verified_at: null }).execute()),
    );
    expect((await restore(app, link)).status).toBe(200);
    expect((await backend(app).get(`/v1/users/${user.id}`)).body).toMatchObject({ email: user.email });
  });

  t.test("twenty restorations at once restore once, and a link works in its own tenant only", async (app) => {
    const acme = await app.tenant("acme");
    const user = await person(app);
    await deleteOwn(app, user);
    const { link } = await app.mail(user.email);
    const foreign = app.client({ "x-application-id": acme.applicationId });
    expect((await foreign.post("/v1/auth/account/restore", { token: link })).code).toBe("invalid_code");
    const answers = await Promise.all(Array.from({ length: 20 }, () => restore(app, link)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect((await app.audit()).filter((action) => action === "user.restored")).toHaveLength(1);
  });

  t.test("has no link for a former address if the account has had another one for a week by then", async (app) => {
    // The owner leaves an employer, removes its address, and deletes the account a day later.
    const user = await person(app, "ada@employer.example");
    const own = await giveEmail(app, user, "ada@home.example");
    app.clock.advance(8 * DAY);
    const client = await session(app, user);
    expect((await client.post(`/v1/me/emails/${own}/primary`)).status).toBe(200);
    const rows = await app.storage.read.kysely.selectFrom("user_emails").selectAll().execute();
    const old = rows.find(({ address }) => address === "ada@employer.example")?.id;
    expect((await client.delete(`/v1/me/emails/${old}`)).status).toBe(200);
    app.clock.advance(DAY);
    await deleteOwn(app, { ...user, login: { ...user.login, email: "ada@home.example" } });
    const mails = await byAddress(app);
    expect([mails["ada@employer.example"]?.link, mails["ada@home.example"]?.link === null]).toEqual([null, false]);
  });
});
