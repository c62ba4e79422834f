import { describe, expect, test } from "bun:test";
import { Inbox } from "../../src/mail/inbox.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { order } from "./support/orders.ts";

interface Listed {
  id: string;
  to: string;
  from: string;
  subject: string;
  code: string | null;
  link: string | null;
  text: string;
}

async function withInbox(run: (app: TestApp, inbox: Inbox) => Promise<void>): Promise<void> {
  const inbox = new Inbox();
  const app = await startApp({ inbox });
  try {
    await run(app, inbox);
  } finally {
    await app.close();
  }
}

const list = async (app: TestApp, query = "", headers: Record<string, string> = {}) => {
  const response = await fetch(`${app.url}/dev/inbox.json${query}`, { headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, data: text ? (JSON.parse(text).data as Listed[]) : [] };
};

describe("the inbox of dev", () => {
  test("holds the mails instead of sending them, newest first, with link and code", () =>
    withInbox(async (app) => {
      expect((await list(app)).data).toEqual([]);
      await order(app, { to: "ada@example.com" });
      await order(app, { to: "bob@example.com", template: "email_known", values: { application: "Acme" } });
      await app.identity.outbox.deliver();
      const { data } = await list(app);
      expect(data.map(({ to }) => to).sort()).toEqual(["ada@example.com", "bob@example.com"]);
      const [ada] = (await list(app, "?to=Ada@example.com")).data;
      expect(ada).toMatchObject({ to: "ada@example.com", code: "1234 5678", from: "Sallyport <sallyport@localhost>" });
      expect(ada?.link).toStartWith(`${app.publicUrl}/link#sally_ml_`);
      const bob = data.find(({ to }) => to === "bob@example.com");
      expect([bob?.code, bob?.link]).toEqual([null, null]);
    }));

  test("returns 304 to a reader with the current version, until it changes", () =>
    withInbox(async (app) => {
      const etag = (await list(app)).headers.get("etag") ?? "";
      expect((await list(app, "", { "if-none-match": etag })).status).toBe(304);
      await order(app);
      await app.identity.outbox.deliver();
      expect((await list(app, "", { "if-none-match": etag })).status).toBe(200);
    }));

  test("DELETE empties it, but not from a page of another origin", () =>
    withInbox(async (app) => {
      await order(app);
      await app.identity.outbox.deliver();
      const remove = (headers: Record<string, string>) =>
        fetch(`${app.url}/dev/inbox.json`, { method: "DELETE", headers }).then(({ status }) => status);
      expect(await remove({ origin: "https://evil.example" })).toBe(403);
      expect((await list(app)).data).toHaveLength(1);
      expect(await remove({ origin: app.publicUrl })).toBe(200);
      expect((await list(app)).data).toEqual([]);
    }));

  test("refuses to be read by a page of another origin, or under a foreign name that leads here (DNS rebinding)", () =>
    withInbox(async (app) => {
      const { headers } = await list(app, "", { origin: "https://evil.example" });
      expect(headers.get("access-control-allow-origin")).toBeNull();
      expect((await list(app, "", { host: "evil.example" })).status).toBe(421);
    }));

  test("answers programs on this machine only, whatever Host they send, and no client of a tunnel", () =>
    withInbox(async (app) => {
      const paths = ["/dev/inbox", "/dev/inbox.json", "/dev/inbox/x", "/try"] as const;
      const ask = async (path: (typeof paths)[number], peer: string, headers: Record<string, string> = {}) => {
        const pattern = path === "/dev/inbox/x" ? "/dev/inbox/:id" : path;
        const request = Object.assign(new Request(`${app.publicUrl}${path}`), { params: { id: "x" } });
        request.headers.set("host", new URL(app.publicUrl).host);
        for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
        // Stands for a connection from another machine, which a test on one machine cannot open everywhere.
        const server = { requestIP: () => ({ address: peer, port: 1, family: "IPv4" }) };
        return (await app.app.routes[pattern]?.(request, server as never))?.status;
      };
      for (const path of paths) {
        const found = path === "/dev/inbox/x" ? 404 : 200;
        for (const peer of ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"]) {
          expect([path, peer, await ask(path, peer)]).toEqual([path, peer, found]);
        }
        for (const peer of ["192.0.2.7", "10.0.0.1", "fe80::1", "::ffff:192.0.2.7", "172.17.0.1", ""]) {
          expect([path, peer, await ask(path, peer)]).toEqual([path, peer, 403]);
        }
        for (const headers of [
          { "x-forwarded-for": "203.0.113.9" },
          { "x-forwarded-for": "203.0.113.9, 127.0.0.1" },
          { "x-forwarded-for": "unknown" },
          { forwarded: 'for="203.0.113.9:80"' },
          { "x-real-ip": "203.0.113.9" },
        ]) {
          expect([path, headers, await ask(path, "127.0.0.1", headers)]).toEqual([path, headers, 403]);
        }
        expect([path, await ask(path, "127.0.0.1", { "x-forwarded-for": "127.0.0.1" })]).toEqual([path, found]);
        expect([path, await ask(path, "192.0.2.7", { "x-forwarded-for": "127.0.0.1" })]).toEqual([path, 403]);
      }
    }));

  test("DELETE from another machine changes nothing", () =>
    withInbox(async (app) => {
      await order(app);
      await app.identity.outbox.deliver();
      const headers = { "x-forwarded-for": "203.0.113.9" };
      expect((await fetch(`${app.url}/dev/inbox.json`, { method: "DELETE", headers })).status).toBe(403);
      expect((await list(app)).data).toHaveLength(1);
    }));

  test("shows the HTML of a mail where it can do nothing", () =>
    withInbox(async (app) => {
      const name = "<script>alert(1)</script>";
      await order(app, { values: { application: name, link: "x", code: "1234 5678", minutes: "1" } });
      await app.identity.outbox.deliver();
      const [mail] = (await list(app)).data;
      const response = await fetch(`${app.url}/dev/inbox/${mail?.id}`);
      const html = await response.text();
      expect(html).toContain("&lt;script&gt;");
      expect(html).not.toContain("<script");
      expect(html).toContain('<base target="_blank">');
      const policy = response.headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).toMatch(/sandbox allow-popups allow-popups-to-escape-sandbox$/);
      expect(policy).not.toContain("script-src");
      for (const id of ["nosuch", "..%2f..", "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f"]) {
        expect((await fetch(`${app.url}/dev/inbox/${id}`)).status).toBe(404);
      }
    }));

  test("the page allows neither inline code nor framing", () =>
    withInbox(async (app) => {
      const response = await fetch(`${app.url}/dev/inbox`);
      const policy = response.headers.get("content-security-policy") ?? "";
      expect(policy).not.toContain("unsafe");
      for (const part of ["default-src 'none'", "script-src 'self'", "frame-src 'self'", "frame-ancestors 'none'"]) {
        expect(policy).toContain(part);
      }
      expect(await response.text()).not.toMatch(/<script(?! type="module" src="\/assets\/inbox-main-)|style=|\son\w+=/);
    }));

  test("keeps the last 200 mails", async () => {
    const inbox = new Inbox();
    for (let i = 0; i < 205; i++) {
      const from = { name: "", address: "a@example.com" };
      const content = { subject: "", text: "", html: "", language: "en", replyTo: null };
      await inbox.send({ id: `mail-${i}`, createdAt: 0, from, to: "b@example.com", ...content });
    }
    expect([inbox.list().length, inbox.list()[0]?.id, inbox.find("mail-4")]).toEqual([200, "mail-204", undefined]);
  });

  test("the welcome page and the summary link to it", () =>
    withInbox(async (app) => {
      const page = await (await fetch(app.url, { headers: { accept: "text/html" } })).text();
      expect(page).toContain('href="/dev/inbox"');
      const summary = (await (await fetch(app.url)).json()) as { links: Record<string, string> };
      expect(summary.links.inbox).toBe(`${app.publicUrl}/dev/inbox`);
    }));
});

describe("only in dev (security.md, decision 24)", () => {
  test("without an inbox there is no such route, and no page mentions it", async () => {
    const app = await startApp();
    for (const path of ["/try", "/dev/inbox", "/dev/inbox.json", "/dev/inbox/x", "/t/default/dev/inbox.json"]) {
      for (const method of ["GET", "DELETE"]) {
        expect([path, (await fetch(app.url + path, { method })).status]).toEqual([path, 404]);
      }
    }
    expect(await (await fetch(app.url, { headers: { accept: "text/html" } })).text()).not.toContain("inbox");
    expect(await (await fetch(app.url)).text()).not.toContain("inbox");
    await app.close();
  });

  test.each(["login.acme.example=acme", "acme.localhost=a,192.0.2.1:8080=acme"])(
    "cannot be switched on with the tenant hosts %s",
    async (tenant_hosts) => {
      for (const open of [{ inbox: new Inbox() }, { allowsLoopbackPages: true }]) {
        const started = startApp({ settings: { tenant_hosts }, ...open });
        expect(await started.then(() => "started", String)).toContain("need loopback addresses over http");
      }
    },
  );

  test.each([
    "https://login.example.com",
    "http://login.example.com",
    "https://localhost:8443",
    "http://192.0.2.1:8080",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
  ])("cannot be switched on with the public URL %s", async (publicUrl) => {
    for (const open of [{ inbox: new Inbox() }, { allowsLoopbackPages: true }]) {
      const started = startApp({ publicUrl, ...open });
      expect(await started.then(() => "started", String)).toContain(
        `need loopback addresses over http, not ${publicUrl}`,
      );
    }
  });
});
