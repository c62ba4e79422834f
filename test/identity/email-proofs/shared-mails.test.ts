import { expect } from "bun:test";
import type { TestApp } from "../../support/app.ts";
import type { Client } from "../../support/client.ts";
import { allowMail, completeBy } from "../../support/mailed-links.ts";
import { proveAddress } from "../../support/own-affairs.ts";
import { scenarios } from "../../support/scenarios.ts";

const MINUTE = 60_000;
const PROXIED = { trusted_proxies: ["127.0.0.1/32"] };
const NEW = "granite-lantern-moth-88";
const stranger = (app: TestApp, n: number) => app.client({ "x-forwarded-for": `198.51.100.${n}` });
const owner = (app: TestApp) => app.page(app.publicUrl, { "x-forwarded-for": "203.0.113.7" });

const ask = async (client: Client, email: string, method: "magic_link" | "email_code") => {
  const { status, body } = await client.post("/v1/auth/email/start", { email, method });
  return { status, flowId: body.flow_id, expiresIn: (body as unknown as { expires_in: number }).expires_in };
};

scenarios("requests for a mail, many at once (five an hour by a stranger)", (t) => {
  t.test(
    "the owner's request is answered, and the code of the last mail works for it, whatever the strangers guess",
    async (app) => {
      await allowMail(app);
      const user = await app.user();
      await proveAddress(app, user.id);
      const flows: string[] = [];
      for (let n = 0; n < 12; n++) flows.push((await ask(stranger(app, n), user.email, "email_code")).flowId);
      const mails = await app.mails(user.email);
      expect(mails).toHaveLength(5);
      const page = owner(app);
      const mine = await ask(page, user.email, "email_code");
      expect([mine.status, flows.includes(mine.flowId)]).toEqual([202, false]);
      expect(await app.mails(user.email)).toEqual([]);
      // The flow that sent the mail dies of wrong codes. The owner's does not.
      const code = mails.at(-1)?.code ?? "";
      const wrong = code.startsWith("0") ? "1111 1111" : "0000 0000";
      for (const [n, flow_id] of flows.entries()) {
        for (let i = 0; i < 6; i++) await completeBy(stranger(app, n), { flow_id, code: wrong });
      }
      // A code belongs to the client that asked: without its flow it is worth nothing.
      expect((await completeBy(page, { flow_id: crypto.randomUUID(), code })).code).toBe("invalid_code");
      const done = await completeBy(page, { flow_id: mine.flowId, code });
      expect([done.status, done.body.user?.id]).toEqual([200, user.id]);
      // One use spends the mail for everybody who asked.
      for (const flow_id of [mine.flowId, ...flows.slice(-3)]) {
        expect((await completeBy(stranger(app, 99), { flow_id, code })).code).toBe("invalid_code");
      }
      // The next request gets a new mail.
      expect((await ask(page, user.email, "email_code")).status).toBe(202);
      expect(await app.mails(user.email)).toHaveLength(1);
    },
    { settings: { ...PROXIED, limit_account: "1000/1m" } },
  );

  t.test(
    "a shared link works in the browsers that asked, and in no other",
    async (app) => {
      await allowMail(app);
      const user = await app.user();
      await proveAddress(app, user.id);
      for (let n = 0; n < 6; n++) await ask(stranger(app, n), user.email, "magic_link");
      const link = (await app.mails(user.email)).at(-1)?.link ?? "";
      const [page, other] = [owner(app), owner(app)];
      expect((await ask(page, user.email, "magic_link")).status).toBe(202);
      await ask(other, "nobody@example.com", "magic_link");
      const worksHere = async (client: Client) =>
        ((await client.post("/v1/auth/link", { token: link })).body as unknown as { works_here: boolean }).works_here;
      expect([await worksHere(page), await worksHere(other)]).toEqual([true, false]);
      expect((await completeBy(other, { token: link })).code).toBe("invalid_code");
      expect((await completeBy(page, { token: link })).status).toBe(200);
      expect((await completeBy(page, { token: link })).code).toBe("invalid_code");
    },
    { settings: PROXIED },
  );

  t.test(
    "a reset is neither refused nor mailed again, and another purpose has mails of its own",
    async (app) => {
      await allowMail(app);
      const user = await app.user();
      await proveAddress(app, user.id);
      for (let n = 0; n < 9; n++) await ask(stranger(app, n), user.email, "email_code");
      await app.mails(user.email);
      for (let n = 0; n < 9; n++) await stranger(app, n).post("/v1/auth/password/forgot", { email: user.email });
      const mails = await app.mails(user.email);
      expect(mails).toHaveLength(5);
      const asked = await owner(app).post("/v1/auth/password/forgot", { email: user.email });
      const code = mails.at(-1)?.code;
      const body = { flow_id: asked.body.flow_id, code, new_password: NEW };
      expect((await owner(app).post("/v1/auth/password/reset", body)).status).toBe(200);
      expect((await app.client().post("/v1/auth/login", { email: user.email, password: NEW })).status).toBe(200);
    },
    { settings: PROXIED },
  );

  t.test(
    "an unknown address gets the same answers, and a mail that has expired is sent again",
    async (app) => {
      await allowMail(app);
      const user = await app.user();
      await proveAddress(app, user.id);
      const seen: Record<string, unknown[]> = {};
      for (const email of [user.email, "nobody@example.com"]) {
        const answers: unknown[] = [];
        for (let n = 0; n < 8; n++) {
          app.clock.advance(MINUTE);
          const before = await app.mailsWritten();
          const { status, expiresIn } = await ask(stranger(app, n), email, "magic_link");
          answers.push([status, expiresIn, (await app.mailsWritten()) - before]);
        }
        seen[email] = answers;
      }
      expect(seen["nobody@example.com"]).toEqual(seen[user.email] ?? []);
      expect(seen[user.email]?.slice(4)).toEqual([
        [202, 600, 1],
        [202, 540, 0],
        [202, 480, 0],
        [202, 420, 0],
      ]);
      await app.mails();
      app.clock.advance(10 * MINUTE);
      expect((await ask(stranger(app, 1), user.email, "magic_link")).expiresIn).toBe(600);
      expect(await app.mails(user.email)).toHaveLength(1);
    },
    { settings: PROXIED },
  );

  t.test(
    "people behind one address who use their mails use up no limit; a known device has its own",
    async (app) => {
      await allowMail(app);
      const signIn = async (page: Client, email: string) => {
        const { flowId, status } = await ask(page, email, "email_code");
        const code = (await app.mails(email)).at(-1)?.code;
        return [status, (await completeBy(page, { flow_id: flowId, code })).status];
      };
      const [user, ...people] = [
        await app.user(),
        await app.user(),
        await app.user(),
        await app.user(),
        await app.user(),
      ];
      const page = owner(app);
      expect(await signIn(page, user.email)).toEqual([202, 200]);
      for (const { email } of people) expect(await signIn(owner(app), email)).toEqual([202, 200]);
      const others: number[] = [];
      for (let i = 0; i < 5; i++) others.push((await ask(owner(app), `x${i}@example.com`, "email_code")).status);
      expect(others).toEqual([202, 202, 202, 429, 429]);
      expect((await ask(page, user.email, "email_code")).status).toBe(202);
    },
    { settings: { ...PROXIED, limit_mail_network: "3/1h" } },
  );
});
