import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import type { Answer } from "../../support/client.ts";
import { add, callerOf, emailsOf, giveEmail, NEW_PASSWORD, session } from "../../support/mail-proofs.ts";
import { allowMail } from "../../support/mailed-links.ts";
import { scenarios } from "../../support/scenarios.ts";
import { PASSWORD } from "../../support/template.ts";
import { workOf } from "../../support/work.ts";

const TYPO = "typo@example.com";
const OWNER = "owner@example.com";

/** Each feature whose mail acts: how a caller asks for the mail, and how its link acts. */
const FEATURES: [name: string, ask: (app: TestApp, email: string) => Promise<Answer>, path: string, body: object][] = [
  [
    "magic_link",
    (app, email) => callerOf(app).post("/v1/auth/email/start", { email, method: "magic_link" }),
    "/v1/auth/email/complete",
    {},
  ],
  [
    "email_code",
    (app, email) => callerOf(app).post("/v1/auth/email/start", { email, method: "email_code" }),
    "/v1/auth/email/complete",
    {},
  ],
  [
    "a forgotten password",
    (app, email) => callerOf(app).post("/v1/auth/password/forgot", { email }),
    "/v1/auth/password/reset",
    { new_password: NEW_PASSWORD },
  ],
];

/** Registers a person with a mistyped address. */
async function mistyped(app: TestApp) {
  await allowMail(app);
  app.secrets.add(NEW_PASSWORD);
  const user = await app.unproven(TYPO);
  return { user, client: await session(app, user) };
}

async function prove(app: TestApp, client: Awaited<ReturnType<typeof session>>, email = OWNER) {
  const { token } = await add(app, client, email);
  expect((await client.post("/v1/auth/email/verify", { token })).status).toBe(200);
  await app.mails();
}

/** Reads the accounts and their sessions. A refusal may count as an attempt, but must not change these rows. */
function account(app: TestApp) {
  const tables = ["user_emails", "password_credentials", "sessions", "users"] as const;
  return Promise.all(tables.map((table) => app.storage.read.kysely.selectFrom(table).selectAll().execute()));
}

/** Returns the proof in a mail: its link, or its code with the flow of the answer. */
async function proofIn(app: TestApp, asked: Answer): Promise<object> {
  const mail = await app.mail(TYPO);
  const { flow_id } = asked.body;
  return mail.link ? { token: mail.link, flow_id } : { flow_id, code: mail.code };
}

scenarios("an unproven address never acts after another address is proven", (t) => {
  for (const [name, ask, path, body] of FEATURES) {
    t.test(`${name}: sends no mail, with the same answer and the same work (ASVS 6.3.8)`, async (app) => {
      const { client } = await mistyped(app);
      await prove(app, client);
      await ask(app, "first@example.com");
      const nobody = await workOf(app, () => ask(app, "nobd@example.com"));
      expect(await workOf(app, () => ask(app, TYPO))).toEqual(nobody);
      expect(await workOf(app, () => ask(app, "ownr@example.com"))).toEqual(nobody);
      expect((await app.mails()).map(({ to }) => to)).toEqual([]);
      // The proven address acts.
      expect((await ask(app, OWNER)).status).toBe(202);
      expect((await app.mails()).map(({ to }) => to)).toEqual([OWNER]);
    });

    t.test(`${name}: an earlier mail opens nothing afterwards`, async (app) => {
      const { client } = await mistyped(app);
      const proof = await proofIn(app, await ask(app, TYPO));
      await prove(app, client);
      const before = await account(app);
      const answer = await callerOf(app).post(path, { ...proof, ...body });
      expect([answer.status, answer.code]).toEqual([401, "invalid_code"]);
      expect(await account(app)).toEqual(before);
      expect((await callerOf(app).post("/v1/auth/login", { email: TYPO, password: PASSWORD })).status).toBe(200);
    });

    t.test(`${name}: acts while no address is proven`, async (app) => {
      await mistyped(app);
      const proof = await proofIn(app, await ask(app, TYPO));
      expect((await callerOf(app).post(path, { ...proof, ...body })).status).toBe(200);
    });
  }

  t.test("an earlier mail no longer proves an address, and a new mail does", async (app) => {
    const { user, client } = await mistyped(app);
    const list = await client.get("/v1/me/emails");
    const ask = () => client.post(`/v1/me/emails/${list.body.data[0]?.id}/verify`);
    const early = await proofIn(app, await ask());
    app.clock.advance(1_000);
    await prove(app, client);
    expect(await emailsOf(app, user)).toEqual([`${TYPO}*?`, OWNER]);
    const before = await account(app);
    expect((await client.post("/v1/auth/email/verify", early)).code).toBe("invalid_code");
    expect(await account(app)).toEqual(before);
    app.clock.advance(1_000);
    // The session asks again after the other address was proven, and so claims this address too.
    const later = await proofIn(app, await ask());
    expect((await client.post("/v1/auth/email/verify", later)).status).toBe(200);
    expect(await emailsOf(app, user)).toEqual([`${TYPO}*`, OWNER]);
  });

  t.test("a change of address gives an unproven address no undo and frees it", async (app) => {
    const { client } = await mistyped(app);
    await prove(app, client);
    const list = await client.get("/v1/me/emails");
    const owner = list.body.data.find(({ email }) => email === OWNER);
    expect((await client.post(`/v1/me/emails/${owner?.id}/primary`)).status).toBe(200);
    expect(await app.mails(TYPO)).toEqual([]);
    expect((await callerOf(app).post("/v1/auth/register", { email: TYPO, password: NEW_PASSWORD })).status).toBe(201);
  });

  t.test("an unproven address does not keep its owner from an account, by any way to one", async (app) => {
    const ways: [sign_up: "immediate" | "verified", claim: () => Promise<Answer>][] = [
      ["immediate", () => callerOf(app).post("/v1/auth/register", { email: TYPO, password: NEW_PASSWORD })],
      [
        "verified",
        async () => {
          await callerOf(app).post("/v1/auth/register", { email: TYPO });
          const { template, link: token } = await app.mail(TYPO);
          expect(template).toBe("sign_up");
          return callerOf(app).post("/v1/auth/register/complete", { token, password: NEW_PASSWORD });
        },
      ],
      [
        "immediate",
        async () => {
          const { token, asker, mail } = await add(app, await session(app, await app.user()), TYPO);
          expect(mail.template).toBe("verify_email");
          return asker.post("/v1/auth/email/verify", { token });
        },
      ],
    ];
    const { user, client } = await mistyped(app);
    await prove(app, client);
    for (const [sign_up, claim] of ways) {
      await app.storage.write((tx) => tx.kysely.updateTable("applications").set({ sign_up }).execute());
      app.forget();
      expect((await claim()).status).toBeLessThan(300);
      // The account goes on with its proven address, and its owner is told.
      expect(await emailsOf(app, user)).toEqual([`${OWNER}*`]);
      expect((await app.mails(OWNER)).map(({ template }) => template)).toEqual(["email_removed"]);
      expect((await client.get("/v1/auth/session")).body.user.email).toBe(OWNER);
      await app.mails();
      const holder = await app.storage.read.kysely
        .selectFrom("user_emails")
        .select("user_id")
        .where("canonical", "=", TYPO)
        .executeTakeFirstOrThrow();
      expect(holder.user_id).not.toBe(user.id);
      await app.storage.write(async (tx) => {
        await tx.kysely.deleteFrom("user_emails").where("canonical", "=", TYPO).execute();
        await tx.kysely.updateTable("user_emails").set({ is_primary: 0 }).where("user_id", "=", user.id).execute();
      });
      await giveEmail(app, user, TYPO, false);
      await app.storage.write(async (tx) => {
        await tx.kysely.updateTable("user_emails").set({ is_primary: 1 }).where("canonical", "=", TYPO).execute();
      });
    }
  });

  t.test("a proven address, and an account's only one, stay with their account", async (app) => {
    const [proven, only] = [await app.user(), await app.unproven()];
    for (const { email } of [proven, only]) {
      const body = { email, password: NEW_PASSWORD };
      app.secrets.add(NEW_PASSWORD);
      expect((await callerOf(app).post("/v1/auth/register", body)).code).toBe("conflict");
    }
    expect([await emailsOf(app, proven), await emailsOf(app, only)]).toEqual([
      [`${proven.email}*`],
      [`${only.email}*?`],
    ]);
  });

  t.test("security notices go to the proven address, not to the unproven primary address", async (app) => {
    const { client } = await mistyped(app);
    await prove(app, client);
    const change = { current_password: PASSWORD, new_password: NEW_PASSWORD };
    expect((await client.post("/v1/auth/password/change", change)).status).toBe(200);
    expect((await app.mails()).map(({ to, template }) => [to, template])).toEqual([[OWNER, "password_changed"]]);
  });
});
