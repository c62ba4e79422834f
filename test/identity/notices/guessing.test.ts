import { expect } from "bun:test";
import { DAY } from "../../../src/core/clock.ts";
import type { TestApp } from "../../support/app.ts";
import { allowMail, askForMail, completeBy } from "../../support/mailed-links.ts";
import { proveAddress } from "../../support/own-affairs.ts";
import { scenarios } from "../../support/scenarios.ts";
import { workOf } from "../../support/work.ts";

const TIGHT = { settings: { trusted_proxies: ["127.0.0.1/32"], limit_account: "3/10m", limit_account_total: "30/1d" } };
const WRONG = "not-the-right-password";

function from(app: TestApp, network: number) {
  return app.client({ "x-forwarded-for": `198.51.${network}.7` });
}

const guess = (app: TestApp, email: string, network = 100) =>
  from(app, network).post("/v1/auth/login", { email, password: WRONG });

async function guessMany(app: TestApp, email: string, count: number, network = 100) {
  for (let i = 0; i < count; i++) await guess(app, email, network);
}

async function provenUser(app: TestApp, email = "ada@example.com") {
  const user = await app.user(email);
  await proveAddress(app, user.id);
  return user;
}

scenarios("a notice of guesses at an account", (t) => {
  t.test(
    "comes when a stranger has used up a limit of the account, and once a day at most",
    async (app) => {
      const user = await provenUser(app);
      await guessMany(app, user.email, 3);
      expect(await app.mails()).toEqual([]);
      for (let network = 0; network < 20; network++) await guessMany(app, user.email, 5, network);
      const mail = await app.mail(user.email);
      expect([mail.template, mail.link]).toEqual(["guessed", null]);
      expect(mail.text).toContain("Network address: 198.51.0.7");
      app.clock.advance(DAY - 1);
      await guessMany(app, user.email, 5);
      expect(await app.mails()).toEqual([]);
      app.clock.advance(1);
      await guessMany(app, user.email, 5);
      expect((await app.mail(user.email)).template).toBe("guessed");
    },
    TIGHT,
  );

  t.test(
    "is not caused by a network that has used up its own limit at other accounts, nor by the owner's known device",
    async (app) => {
      const user = await provenUser(app);
      for (let i = 0; i < 5; i++) await guess(app, `nobody${i}@example.com`);
      expect((await guess(app, user.email)).code).toBe("rate_limited");
      const page = app.page(app.publicUrl, { "x-forwarded-for": "203.0.113.9" });
      expect((await page.post("/v1/auth/login", user.login)).status).toBe(200);
      const answers = [];
      for (let i = 0; i < 12; i++) answers.push(await page.post("/v1/auth/login", { ...user.login, password: WRONG }));
      expect(answers.at(-1)?.code).toBe("rate_limited");
      expect(await app.mails()).toEqual([]);
    },
    { settings: { ...TIGHT.settings, limit_network: "5/1h" } },
  );

  t.test(
    "tells a guesser nothing: an account costs the same work and gets the same answer as none",
    async (app) => {
      const user = await provenUser(app);
      // The first throttled attempt of a minute writes to the audit log, with one statement more.
      await guessMany(app, "first@example.com", 4, 1);
      const work = [];
      for (const [network, email] of [user.email, "nobd@example.com"].entries()) {
        await guessMany(app, email, 3, 10 + network);
        work.push(await workOf(app, () => guess(app, email, 10 + network)));
      }
      expect(work[0]).toEqual(work[1] as never);
      expect((await app.mails()).map(({ to }) => to)).toEqual([user.email]);
      // A mail that nobody gets holds no address.
      const rows = await app.storage.read.kysely.selectFrom("outbox_mails").select(["is_void", "user_id"]).execute();
      expect(rows.filter(({ is_void }) => is_void === 1).map(({ user_id }) => user_id)).toEqual([null, null]);
    },
    TIGHT,
  );

  t.test(
    "comes for guessed codes too, by the account and not by the mail, and can be switched off",
    async (app) => {
      await allowMail(app);
      const user = await provenUser(app);
      const guessCodes = async () => {
        const { flowId } = await askForMail(app, user.email, "email_code");
        for (let i = 0; i < 4; i++) await completeBy(from(app, 100), { flow_id: flowId, code: "0000 0000" });
        return (await app.mails()).map(({ template }) => template);
      };
      expect(await guessCodes()).toEqual(["guessed"]);
      app.clock.advance(2 * DAY);
      await app.storage.write(async ({ kysely }) => {
        await kysely
          .updateTable("tenants")
          .set({ notices_off: JSON.stringify(["password"]) })
          .execute();
      });
      app.forget();
      expect(await guessCodes()).toEqual([]);
    },
    TIGHT,
  );
});
