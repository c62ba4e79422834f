import { expect } from "bun:test";
import { newSecret } from "../../../src/crypto/secrets.ts";
import type { Notice } from "../../../src/identity/notices/notices.ts";

import type { TestApp, TestUser } from "../../support/app.ts";
import type { Client } from "../../support/client.ts";
import { giveEmail } from "../../support/mail-proofs.ts";
import { allowMail, completeBy, mailTo } from "../../support/mailed-links.ts";
import { proveAddress } from "../../support/own-affairs.ts";
import { scenarios } from "../../support/scenarios.ts";
import { PASSWORD } from "../../support/template.ts";

const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0";
const NEWER = FIREFOX.replaceAll("127", "128");
const SAFARI =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Returns a browser, which keeps its cookies. */
const browser = (app: TestApp, userAgent: string) => app.page(app.publicUrl, { "user-agent": userAgent });

async function signIn(client: Client, user: TestUser) {
  const answer = await client.post("/v1/auth/login", user.login);
  expect(answer.status).toBe(200);
  return answer;
}

/** Signs in as the host does, without the cost of a hash and without cookies: each sign-in is one from a new device. */
async function begin(app: TestApp, user: TestUser, userAgent: string | null): Promise<void> {
  const origin = { requestId: "test", address: "198.51.100.7", network: "198.51.100.7", userAgent };
  const request = app.signInRequest(await app.act({ origin }));
  const proof = { method: "password", amr: ["pwd"], aal: "aal1", commit: async () => user.id } as const;
  const outcome = await app.identity.signIns.complete(request, proof);
  if (outcome.status === "success") app.secrets.add(outcome.issued.refreshToken);
}

async function provenUser(app: TestApp, email = "ada@example.com"): Promise<TestUser> {
  const user = await app.user(email);
  await proveAddress(app, user.id);
  return user;
}

const withheld = async (app: TestApp) => (await app.audit()).filter((action) => action === "notice.withheld").length;

scenarios("a notice of a sign-in from a new device (ASVS 6.3.5)", (t) => {
  t.test("the first sign-in sends no notice, and a second device sends one, in text and HTML", async (app) => {
    const user = await provenUser(app);
    const desktop = browser(app, FIREFOX);
    await signIn(desktop, user);
    await signIn(desktop.with({ "user-agent": NEWER }), user);
    expect(await app.mails()).toEqual([]);
    app.clock.advance(90_000);
    const phone = browser(app, SAFARI);
    await signIn(phone, user);
    await signIn(phone, user);
    const mail = await app.mail("ada@example.com");
    expect([mail.template, mail.to]).toEqual(["new_device", "ada@example.com"]);
    expect(mail.text).toContain("Device: Safari on iPhone\nNetwork address: 127.0.0.1\nTime: 2026-03-01 12:01 UTC\n");
    expect(mail.html).toContain("Device: Safari on iPhone<br>Network address: 127.0.0.1<br>Time: 2026-03-01 12:01 UTC");
    expect(mail.link).toBeNull();
    await signIn(desktop, user);
    await signIn(phone.with({ "user-agent": SAFARI.replaceAll("17", "18") }), user);
    expect(await app.mails()).toEqual([]);
  });

  t.test("a thief who imitates the owner's browser, system and network has a new device", async (app) => {
    const user = await provenUser(app);
    const owner = browser(app, FIREFOX);
    await signIn(owner, user);
    const thief = browser(app, FIREFOX);
    await signIn(thief, user);
    expect((await app.mail("ada@example.com")).template).toBe("new_device");
    // The owner's device stays known, and the thief cannot make up a cookie of one.
    await signIn(owner, user);
    expect(await app.mails()).toEqual([]);
    const { text } = newSecret("dv", crypto.randomUUID());
    app.secrets.add(text);
    await signIn(app.client({ "user-agent": FIREFOX, cookie: `sallyport_dv=${text}` }), user);
    expect((await app.mail("ada@example.com")).template).toBe("new_device");
  });

  t.test("a browser without the cookie is new again, and another user's browser is new to the account", async (app) => {
    const user = await provenUser(app);
    const other = await provenUser(app, "bob@example.com");
    const shared = browser(app, FIREFOX);
    await signIn(shared, user);
    const second = browser(app, FIREFOX);
    await signIn(second, other);
    await signIn(second, user);
    expect((await app.mail("ada@example.com")).template).toBe("new_device");
    shared.jar?.clear();
    await signIn(shared, user);
    expect((await app.mail("ada@example.com")).template).toBe("new_device");
    await signIn(second, user);
    await signIn(second, other);
    expect(await app.mails()).toEqual([]);
  });

  t.test("a stranger's devices do not count as devices of the owner who takes the account over", async (app) => {
    const email = "victim@example.com";
    const stranger = browser(app, SAFARI);
    expect((await stranger.post("/v1/auth/register", { email, password: PASSWORD })).status).toBe(201);
    await app.mails();
    await allowMail(app);
    const owner = browser(app, FIREFOX);
    const first = await mailTo(app, email, "magic_link", owner);
    expect((await completeBy(owner, { token: first.link, flow_id: first.flowId })).status).toBe(200);
    // The owner's first device causes no notice of a new device, and the stranger's device does.
    expect((await app.mails()).map(({ template }) => template)).toEqual(["access_removed"]);
    const again = await mailTo(app, email, "magic_link", owner);
    expect((await completeBy(stranger, { token: again.link, flow_id: again.flowId })).status).toBe(200);
    expect((await app.mails(email)).map(({ template }) => template)).toEqual(["new_device"]);
  });

  t.test("twenty sign-ins at once from new devices send at most five mails", async (app) => {
    const user = await provenUser(app);
    await begin(app, user, FIREFOX);
    await Promise.all(Array.from({ length: 20 }, () => begin(app, user, SAFARI)));
    expect(await app.mails("ada@example.com")).toHaveLength(5);
  });

  t.test(
    "an unproven address gets notices while it is the account's only one, and none beside another",
    async (app) => {
      const user = await app.unproven("owner@example.com");
      await begin(app, user, FIREFOX);
      await begin(app, user, SAFARI);
      expect((await app.mail("owner@example.com")).template).toBe("new_device");
      await giveEmail(app, user, "typo@example.com", false);
      await begin(app, user, "curl/8.8.0");
      expect(await app.mails()).toEqual([]);
      await proveAddress(app, user.id);
      await begin(app, user, "wget/1.24");
      expect((await app.mails()).map(({ to, template }) => [to, template])).toEqual([
        ["owner@example.com", "new_device"],
      ]);
    },
  );

  t.test("each kind can be switched off for one tenant and stays on for the others", async (app) => {
    const acme = await app.tenant("acme");
    const off = (kinds: string[], tenantId: string) =>
      app.storage.write(async (tx) => {
        const notices_off = JSON.stringify(kinds);
        await tx.kysely.updateTable("tenants").set({ notices_off }).where("id", "=", tenantId).execute();
      });
    const user = await provenUser(app);
    await off(["new_device"], app.tenantId);
    await off(["password", "factor", "address", "account"], acme.id);
    app.forget();
    await begin(app, user, FIREFOX);
    const phone = browser(app, SAFARI);
    await signIn(phone, user);
    expect(await app.mailsWritten()).toBe(0);
    const theirs = await app.user("eve@example.com", acme.id);
    await proveAddress(app, theirs.id);
    for (const userAgent of [FIREFOX, SAFARI]) {
      const client = app.client({ "user-agent": userAgent });
      expect((await client.post("/t/acme/v1/auth/login", theirs.login)).status).toBe(200);
    }
    await app.mail("eve@example.com");
    // Devices that were seen while the notice was off are known when it is on again.
    await off([], app.tenantId);
    app.forget();
    await signIn(phone, user);
    expect(await app.mailsWritten()).toBe(1);
  });

  t.test(
    "a User-Agent of 10 kB, with control characters or with HTML breaks neither the sign-in nor the mail",
    async (app) => {
      const user = await provenUser(app);
      await begin(app, user, FIREFOX);
      const hostile = [
        `${"A".repeat(10_000)} Firefox/1 Windows`,
        "Acme\r\nBcc: eve@example.com\r\n\r\n<b>/1 Android",
        '<a href="https://evil.example">Chrome/1</a> Linux "quoted" {{link}} {{code}}',
        "\u0007\u202e/1",
      ];
      for (const userAgent of hostile) await begin(app, user, userAgent);
      const mails = await app.mails("ada@example.com");
      // The first and the last header identify nothing.
      expect(mails.map((mail) => mail.text.split("\n\n")[1]).sort()).toEqual([
        "Device: Android\nNetwork address: 198.51.100.7\nTime: 2026-03-01 12:00 UTC",
        "Device: Chrome on Linux\nNetwork address: 198.51.100.7\nTime: 2026-03-01 12:00 UTC",
        "Network address: 198.51.100.7\nTime: 2026-03-01 12:00 UTC",
        "Network address: 198.51.100.7\nTime: 2026-03-01 12:00 UTC",
      ]);
      for (const { template, text, html } of mails) {
        expect(template).toBe("new_device");
        expect(`${text}${html}`).not.toMatch(/evil|Bcc|eve@|<b>|\u202e|\{\{/);
      }
      const overWire = await signIn(browser(app, `${"A".repeat(10_000)}<script> Chrome/9 Mac OS X`), user);
      const { body } = await app.client().bearer(overWire.body.access_token).get("/v1/auth/session");
      expect([body.session.user_agent?.length, body.session.device]).toEqual([256, null]);
    },
    { settings: { limit_notices: "100/1h" } },
  );

  t.test(
    "random devices cause at most five mails an hour for each user, and the log records withheld notices",
    async (app) => {
      const user = await provenUser(app);
      const other = await provenUser(app, "bob@example.com");
      for (let i = 0; i < 30; i++) await begin(app, user, `agent-${"x".repeat(i + 1)}/1`);
      expect(await app.mails("ada@example.com")).toHaveLength(5);
      expect(await withheld(app)).toBe(2); // the 1st and the 10th
      await begin(app, other, FIREFOX);
      await begin(app, other, SAFARI);
      await app.mail("bob@example.com");
      app.clock.advance(HOUR);
      for (let i = 0; i < 30; i++) await begin(app, user, `later-${"x".repeat(i + 1)}/1`);
      expect(await app.mails("ada@example.com")).toHaveLength(5);
    },
  );

  t.test("a flood of one notice holds back neither other notices nor a mail that can undo something", async (app) => {
    const user = await provenUser(app);
    for (let i = 0; i < 12; i++) await begin(app, user, `agent-${"x".repeat(i + 1)}/1`);
    await app.mails();
    const act = await app.act({
      origin: { requestId: "", address: "192.0.2.9", network: "192.0.2.9", userAgent: null },
    });
    const notify = (notice: Omit<Notice, "userId">) =>
      app.storage.write((tx) => app.identity.notices.notify(tx, app.clock.now(), act, { userId: user.id, ...notice }));
    await notify({ kind: "password", template: "password_changed" });
    for (let i = 0; i < 12; i++) {
      const values = { email: "eve@example.com" };
      // To the attacker's own address, to use up the owner's notices.
      await notify({ kind: "address", template: "email_removed", values, to: "eve@example.com" });
    }
    await notify({ kind: "address", template: "email_removed", values: { email: "x@example.com" } });
    for (let i = 0; i < 12; i++) {
      const values = {
        old_email: "ada@example.com",
        new_email: "eve@example.com",
        link: "https://x.example",
        days: "7",
      };
      await notify({ kind: "address", template: "email_changed", values, to: "ada@example.com" });
    }
    const subjects = (await app.mails("ada@example.com")).map((mail) => mail.subject);
    expect(subjects.filter((subject) => subject.startsWith("Your password"))).toHaveLength(1);
    expect(subjects.filter((subject) => subject.includes("was removed"))).toHaveLength(1);
    expect(subjects.filter((subject) => subject.endsWith("was changed"))).toHaveLength(1 + 12);
    expect(await app.mails("eve@example.com")).toHaveLength(5);
  });

  t.test("a refused sign-in sends no notice and remembers no device", async (app) => {
    const user = await provenUser(app);
    await begin(app, user, FIREFOX);
    await app.disable("users", user.id);
    const before = await app.state();
    await expect(begin(app, user, SAFARI)).rejects.toThrow();
    expect(await app.state()).toBe(before);
    expect(await app.mailsWritten()).toBe(0);
  });

  t.test(
    "devices are forgotten after 400 days, except the last, so that a stranger's sign-in is never the first",
    async (app) => {
      const user = await provenUser(app);
      const retention = app.identity.jobs.find((job) => job.name === "retention");
      await begin(app, user, FIREFOX);
      app.clock.advance(DAY);
      await begin(app, user, SAFARI);
      await app.mail("ada@example.com");
      app.clock.advance(401 * DAY);
      await retention?.run();
      const kept = await app.storage.read.kysely.selectFrom("account_devices").select("last_seen_at").execute();
      expect(kept).toEqual([{ last_seen_at: app.clock.now() - 401 * DAY - (app.clock.now() % 1_000) }]);
      await begin(app, user, FIREFOX);
      await app.mail("ada@example.com");
    },
  );

  t.test("a device in use stays known", async (app) => {
    const user = await provenUser(app);
    const retention = app.identity.jobs.find((job) => job.name === "retention");
    const desktop = browser(app, FIREFOX);
    const phone = browser(app, SAFARI);
    await signIn(desktop, user);
    app.clock.advance(DAY);
    await signIn(phone, user);
    await app.mail("ada@example.com");
    app.clock.advance(398 * DAY);
    await signIn(desktop, user);
    await signIn(phone, user);
    app.clock.advance(3 * DAY);
    await retention?.run();
    await signIn(desktop, user);
    await signIn(phone, user);
    expect(await app.mails()).toEqual([]);
  });
});
