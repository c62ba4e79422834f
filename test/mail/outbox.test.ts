import { expect } from "bun:test";
import { DAY, HOUR, MINUTE, SECOND } from "../../src/core/clock.ts";
import { reviveMails } from "../../src/mail/store.ts";
import { MailRefused } from "../../src/mail/transport.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { Mailbox } from "../support/mailbox.ts";
import { scenarios } from "../support/scenarios.ts";
import { order, rows, SlowTransport } from "./support/orders.ts";

const notNow = (text = "451 4.7.1 greylisted") => new MailRefused(text, false);
const never = () => new MailRefused("550 5.1.1 <address> no such user", true);

async function runJob(app: TestApp, name: string): Promise<void> {
  await app.app.jobs.find((job) => job.name === name)?.run();
}

scenarios("the outbox", (t) => {
  t.test("an accepted mail is sent once, and its content is deleted", async (app) => {
    await order(app);
    expect(await app.mails()).toHaveLength(1);
    expect(await app.mails()).toHaveLength(0);
    expect(await rows(app)).toMatchObject([{ sealed: null, next_attempt_at: null, attempts: 1, last_error: null }]);
    expect(app.identity.outbox.stats).toMatchObject({ sent: 1, retried: 0, dead: 0 });
  });

  t.test("an act that is rolled back sends no mail", async (app) => {
    const failing = app.storage.write(async (tx) => {
      const tenant = await app.identity.directory.tenant(app.tenantId);
      if (!tenant) throw new Error("no tenant");
      const values = { time: "now" };
      const expiresAt = app.clock.now() + HOUR;
      const nobody = { to: "a@example.com", userId: null, languages: null };
      await app.identity.outbox.queue(tx, { tenant, template: "test", values, expiresAt, ...nobody });
      throw new Error("taken back");
    });
    await failing.catch(() => undefined);
    expect([await app.mails(), await app.mailsWritten()]).toEqual([[], 0]);
  });

  t.test(
    "retries after a 4xx answer in 10 s, 30 s, 2, 5, 15 and 30 minutes, then every hour, always as the same mail",
    async (app) => {
      await order(app, { expiresAt: app.clock.now() + DAY });
      const waits = [10 * SECOND, 30 * SECOND, 2 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, HOUR, HOUR];
      for (const wait of waits) {
        app.mailbox.failures.push(notNow());
        expect(await app.mails()).toEqual([]);
        app.clock.advance(wait - 1);
        expect(await app.mails()).toEqual([]);
        expect(app.mailbox.failures).toEqual([]);
        const [row] = await rows(app);
        expect(row).toMatchObject({ last_error: "451 4.7.1 greylisted", dead_at: null });
        app.clock.advance(1);
      }
      const [mail] = await app.mails();
      expect(mail?.id).toBe((await rows(app))[0]?.id as string);
      expect(app.identity.outbox.stats).toMatchObject({ sent: 1, retried: waits.length, dead: 0 });
    },
  );

  t.test("gives up at once after a 5xx answer, and keeps the answer; a retry sends the mail", async (app) => {
    await order(app);
    app.mailbox.failures.push(never());
    expect(await app.mails()).toEqual([]);
    app.clock.advance(30 * MINUTE);
    expect(await app.mails()).toEqual([]);
    const [row] = await rows(app);
    expect(row).toMatchObject({ next_attempt_at: null, last_error: "550 5.1.1 <address> no such user" });
    expect(row?.dead_at).not.toBeNull();
    expect(app.identity.outbox.stats).toMatchObject({ sent: 0, dead: 1 });
    const revived = await app.storage.write((tx) => reviveMails(tx, app.clock.now(), null));
    expect(revived).toEqual([row?.id ?? ""]);
    expect(await app.mails()).toHaveLength(1);
    expect(await app.storage.write((tx) => reviveMails(tx, app.clock.now(), null))).toEqual([]);
  });

  t.test("an expired mail is not sent late, even by a retry", async (app) => {
    await order(app, { expiresAt: app.clock.now() + 12 * SECOND });
    await order(app, { expiresAt: app.clock.now() + MINUTE });
    app.mailbox.failures.push(notNow(), notNow());
    await app.mails();
    const [first, second] = await rows(app);
    expect([first?.dead_at, second?.dead_at]).toEqual([null, null]);
    app.mailbox.failures.push(notNow());
    app.clock.advance(15 * SECOND);
    await app.mails();
    expect((await rows(app))[0]).toMatchObject({ dead_at: app.clock.now(), last_error: "451 4.7.1 greylisted" });
    // The next attempt would be after the expiry.
    app.clock.advance(50 * SECOND);
    await app.mails();
    expect((await rows(app)).map((row) => row.dead_at === null)).toEqual([false, false]);
    expect(await app.storage.write((tx) => reviveMails(tx, app.clock.now(), null))).toEqual([]);
    expect(await app.mails()).toEqual([]);
  });

  t.test("a mail without a recipient costs a row and goes nowhere", async (app) => {
    await order(app, { to: null });
    expect(await app.mails()).toEqual([]);
    expect(await rows(app)).toMatchObject([{ is_void: 1, sealed: null, next_attempt_at: null }]);
    expect(app.identity.outbox.stats).toMatchObject({ sent: 0, dead: 0 });
    await runJob(app, "mail-count");
    expect(app.metric("sallyport_mails_waiting")).toBe(0);
  });

  t.test("waiting mails of a deleted user are never sent", async (app) => {
    const user = await app.user();
    await order(app, { userId: user.id });
    await order(app);
    app.mailbox.failures.push(notNow(), notNow());
    await app.mails();
    const deleted = await app.client().send("DELETE", `/v1/users/${user.id}`, {
      headers: { authorization: `Bearer ${app.secretKey}` },
    });
    expect(deleted.status).toBe(200);
    app.clock.advance(MINUTE);
    // One mail is another person's, and one reports the deletion.
    expect((await app.mails()).map(({ template }) => template).sort()).toEqual(["account_deleted", "reset_password"]);
  });

  t.test("only one of several nodes sends each mail", async (app) => {
    const other = await startApp({ beside: app, database: t.database });
    for (let i = 0; i < 20; i++) await order(app);
    await Promise.all([app, other, app, other].map((node) => node.identity.outbox.deliver()));
    const mails = app.mailbox.take();
    expect([mails.length, new Set(mails.map(({ id }) => id)).size]).toEqual([20, 20]);
    const sent = [app, other].map((node) => node.identity.outbox.stats.sent);
    expect(sent.reduce((sum, count) => sum + count, 0)).toBe(20);
    await other.close();
  });

  t.test("a node that hangs loses its mail to another node, and overwrites nothing when it wakes", async (app) => {
    const slow = new SlowTransport();
    const hung = await startApp({ beside: app, database: t.database, transport: slow });
    await order(app);
    await hung.identity.outbox.look();
    await slow.holding(1);
    app.clock.advance(MINUTE);
    expect(await app.mails()).toEqual([]);
    app.clock.advance(MINUTE);
    const [mail] = await app.mails();
    // By the Message-ID a mail server recognises the second copy.
    expect(mail?.id).toBe(slow.inHand[0]?.mail.id as string);
    slow.inHand[0]?.end(notNow());
    await hung.identity.outbox.deliver();
    expect(await rows(app)).toMatchObject([{ next_attempt_at: null, dead_at: null, last_error: null, sealed: null }]);
    app.clock.advance(HOUR);
    await Promise.all([app, hung].map((node) => node.identity.outbox.deliver()));
    expect([app.mailbox.take().length, slow.taken.length]).toEqual([0, 0]);
    await hung.close();
  });

  t.test("without a mail server mails wait, and expired mails are deleted", async (app) => {
    const dumb = await startApp({ beside: app, database: t.database, transport: null });
    await order(app, { expiresAt: app.clock.now() + DAY });
    await order(app);
    await order(app, { to: null });
    await dumb.identity.outbox.deliver();
    await runJob(dumb, "mail-count");
    expect([dumb.metric("sallyport_mails_waiting"), (await rows(app))[0]?.attempts]).toEqual([2, 0]);
    app.clock.advance(2 * HOUR);
    await runJob(dumb, "retention");
    const [kept, expired, ...more] = await rows(app);
    expect(kept).toMatchObject({ dead_at: null });
    expect(expired).toMatchObject({
      sealed: null,
      next_attempt_at: null,
      last_error: "expired before it could be sent",
    });
    expect(more).toEqual([]);
    expect(await app.mails()).toHaveLength(1);
    await dumb.close();
  });

  t.test("deletes the row of a sent mail after 7 days, and of a failed mail after 30", async (app) => {
    await order(app);
    await app.mails();
    await order(app);
    app.mailbox.failures.push(never());
    await app.mails();
    const left = async (after: number) => {
      app.clock.advance(after);
      await runJob(app, "retention");
      return (await rows(app)).map((row) => row.dead_at !== null);
    };
    expect(await left(6 * DAY)).toEqual([false, true]);
    expect((await rows(app))[1]?.sealed).toBeNull();
    expect(await left(DAY + HOUR)).toEqual([true]);
    expect(await left(22 * DAY)).toEqual([true]);
    expect(await left(DAY)).toEqual([]);
  });

  t.test("the outbox continues after a failure of the database", async (app) => {
    await order(app);
    const { write } = app.storage;
    app.storage.write = () => Promise.reject(new Error("disk full"));
    expect(await app.identity.outbox.deliver().catch((error: Error) => error.message)).toBe("disk full");
    app.storage.write = write;
    expect(await app.mails()).toHaveLength(1);
  });
});

scenarios("a slow mail server", (t) => {
  const slow = new SlowTransport();
  const options = { transport: slow, settings: { smtp_connections: 3 } };

  t.test(
    "delays as many mails as it has connections; the others follow as each ends, and those that never failed go first",
    async (app) => {
      slow.most = 0;
      for (let i = 0; i < 8; i++) await order(app, { to: `person-${i}@example.com` });
      const all = app.identity.outbox.deliver();
      await slow.holding(3);
      slow.isFast = () => true;
      slow.inHand[0]?.end();
      // Two hang, and six others pass them.
      await (async () => {
        while (slow.taken.length < 6) await Bun.sleep(2);
      })();
      expect([slow.inHand.length, slow.most]).toEqual([2, 3]);
      // A mail that comes meanwhile passes them too.
      await order(app, { to: "late@example.com" });
      await app.identity.outbox.look();
      while (slow.taken.length < 7) await Bun.sleep(2);
      expect(slow.taken.at(-1)?.to).toBe("late@example.com");
      slow.isFast = () => false;
      for (const { end } of [...slow.inHand]) end(notNow());
      await all;
      // Ordered after the others were due again.
      app.clock.advance(15 * SECOND);
      await order(app, { to: "fresh@example.com" });
      const rest = app.identity.outbox.deliver();
      await slow.holding(3);
      expect(slow.inHand[0]?.mail.to).toBe("fresh@example.com");
      for (const { end } of [...slow.inHand]) end();
      await rest;
      expect(slow.taken.splice(0)).toHaveLength(10);
    },
    options,
  );

  t.test(
    "delays no act: the answer comes while the mail hangs",
    async (app) => {
      const { user, tokens } = await app.signedIn();
      await app.storage.write((tx) =>
        tx.kysely.updateTable("user_emails").set({ verified_at: 1 }).where("user_id", "=", user.id).execute(),
      );
      const { jobs } = app.app;
      jobs.find(({ name }) => name === "mail")?.onWake?.(() => void app.identity.outbox.look());
      const changed = await app
        .client()
        .post(
          "/v1/auth/password/change",
          { current_password: user.login.password, new_password: "granite-lantern-moth-88" },
          { headers: { authorization: `Bearer ${tokens.accessToken}` } },
        );
      expect(changed.status).toBe(200);
      await slow.holding(1);
      expect(slow.inHand[0]?.mail.subject).toContain("password");
      slow.inHand[0]?.end();
      await app.identity.outbox.deliver();
      expect(slow.taken.splice(0)).toHaveLength(1);
    },
    options,
  );

  t.test(
    "does not keep the process from stopping; a mail on its way is due again at the next start",
    async (app) => {
      await order(app);
      await app.identity.outbox.look();
      await slow.holding(1);
      const stopped = app.identity.outbox.stop(10);
      await order(app);
      await app.identity.outbox.deliver();
      await stopped;
      expect(slow.inHand).toEqual([]);
      const next = await startApp({ beside: app, database: t.database, transport: new Mailbox() });
      await next.identity.outbox.deliver();
      expect(next.identity.outbox.stats.sent).toBe(2);
      await next.close();
    },
    options,
  );
});
