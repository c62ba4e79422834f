import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout } from "bun:test";
import type { TestApp } from "../support/app.ts";
import { allowMail, completeBy } from "../support/mailed-links.ts";
import { browserTest, closeBrowser } from "./support/chromium.ts";
import { LinkSite, setApplication, startLinkApp } from "./support/link-site.ts";

setDefaultTimeout(60_000);
const MINUTE = 60_000;

let app: TestApp;
beforeAll(async () => {
  app = await startLinkApp();
});
// The log has every request here, and closing fails if it holds a token (ASVS 16.2.5).
afterAll(async () => {
  await closeBrowser();
  await app.close();
});
beforeEach(async () => {
  await allowMail(app);
  await setApplication(app, { name: "Harbour Notes", home_url: `${app.publicUrl}/healthz` });
});

describe("a mailed link in a browser", () => {
  browserTest("names the account, signs in on a click, and leads to the application", async () => {
    await using site = await LinkSite.create(app);
    const user = await app.user("ada@example.com");
    await site.openMailTo(user);
    await site.sees("Sign in to Harbour Notes");
    expect(await site.page.textContent(".lead")).toContain(
      "signed in as a•••@example.com in this browser. If that is not you, close this page.",
    );
    expect(await site.cookies()).toEqual([]);
    await site.press("Sign in");
    await site.sees("You are signed in");
    expect(await site.page.title()).toBe("You are signed in");
    const names = (await site.cookies()).map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]);
    expect(names.sort()).toEqual([
      ["sallyport_at", true, "Lax"],
      ["sallyport_rt", true, "Lax"],
    ]);
    for (const { value } of await site.cookies()) app.secrets.add(value);
    const session = await site.page.evaluate(async () => (await fetch("/v1/auth/session")).json());
    expect(session.user.id).toBe(user.id);
    await site.page.getByRole("link", { name: "Go to Harbour Notes" }).click();
    await site.page.waitForURL("**/healthz");
    expect(site.complaints).toEqual([]);
  });

  browserTest("removes its token from the address at once, and never sends it in one (ASVS 16.2.5)", async () => {
    await using site = await LinkSite.create(app);
    const link = await site.openMailTo(await app.user());
    await site.sees("Sign in to Harbour Notes");
    expect(site.page.url()).toBe(`${app.publicUrl}/link`);
    await site.press("Sign in");
    await site.sees("You are signed in");
    const posts = site.requests.filter((request) => request.postData()?.includes(link));
    expect(posts.map((request) => new URL(request.url()).pathname)).toEqual([
      "/v1/auth/link",
      "/v1/auth/email/complete",
    ]);
    for (const request of site.requests) {
      // Playwright reports the document's fragment, which no browser sends.
      const { origin, pathname, search } = new URL(request.url());
      const line = `${origin}${pathname}${search} ${JSON.stringify(await request.allHeaders())}`;
      expect(line).not.toContain(link);
      expect(await request.headerValue("referer")).toBeNull();
    }
    expect(await site.page.content()).not.toContain(link);
    const kept = await site.page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state]),
    );
    expect(kept).not.toContain(link);
    await site.page.reload();
    await site.sees("There is no link here");
  });

  browserTest("in another browser says where the link works and what to do, and signs nobody in", async () => {
    await using asking = await LinkSite.create(app);
    await using other = await LinkSite.create(app);
    const user = await app.user("ada@other-browser.example");
    const { link, code } = await asking.ask(user.email);
    await other.open(link);
    await other.sees("This link belongs to another browser");
    const lead = await other.page.textContent(".lead");
    expect(lead).toContain("Open it there, or enter the code from the mail there.");
    expect(lead).toContain("If you did not ask for this mail, close this page, and tell nobody the code.");
    // The page holds no code that a caller on the telephone could ask the victim for.
    expect(await other.page.content()).not.toContain(code);
    expect(await other.page.locator("button").count()).toBe(0);
    await other.page.getByRole("link", { name: "Go to Harbour Notes" }).waitFor();
    expect(await other.cookies()).toEqual([]);
    expect(await other.problems("other-browser")).toEqual([]);
    await asking.open(link);
    await asking.press("Sign in");
    await asking.sees("You are signed in");
    for (const { value } of await asking.cookies()) app.secrets.add(value);
    expect([...asking.complaints, ...other.complaints]).toEqual([]);
  });

  browserTest("scanners use up nothing: GET, HEAD, every asset, and a browser that runs the script", async () => {
    await using site = await LinkSite.create(app);
    const user = await app.user();
    const { link, flowId, code } = await site.ask(user.email);
    const page = `${app.publicUrl}/link`;
    const html = await (await fetch(`${page}#${link}`)).text();
    const assets = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map((match) => `${app.publicUrl}${match[1]}`);
    for (const url of [page, `${page}?utm_source=mail`, ...assets]) {
      for (const method of ["GET", "HEAD"]) expect((await fetch(url, { method })).status).toBe(200);
    }
    for (let i = 0; i < 3; i++) {
      await using scanner = await LinkSite.create(app, { userAgent: "Mail scanner" });
      await scanner.open(link);
      await scanner.sees("This link belongs to another browser");
      // Scanners scroll, move the mouse, wait until the page is idle, and leave.
      await scanner.page.mouse.move(200, 300);
      await scanner.page.mouse.wheel(0, 2_000);
      await scanner.page.waitForLoadState("networkidle");
      await scanner.page.goto("about:blank");
      expect(await scanner.cookies()).toEqual([]);
    }
    await using bare = await LinkSite.create(app, { javaScriptEnabled: false });
    await bare.open(link);
    expect(await bare.page.locator("noscript").innerText()).toContain("This page needs JavaScript");
    const flow = await app.storage.read.kysely
      .selectFrom("flows")
      .select(["attempts", "consumed_at"])
      .where("id", "=", flowId)
      .execute();
    expect(flow).toEqual([{ attempts: 0, consumed_at: null }]);
    await site.open(link);
    await site.press("Sign in");
    await site.sees("You are signed in");
    for (const { value } of await site.cookies()) app.secrets.add(value);
    expect((await completeBy(app.client(), { flow_id: flowId, code })).code).toBe("invalid_code");
  });

  browserTest("a link that was used, has expired or was cut off says what to do", async () => {
    await using site = await LinkSite.create(app);
    const user = await app.user();
    const used = await site.ask(user.email);
    await completeBy(app.client(), { token: used.link, flow_id: used.flowId });
    const expired = await site.ask(user.email);
    app.clock.advance(11 * MINUTE);
    for (const token of [used.link, expired.link, used.link.slice(0, -5), "%E0%A4%A", "<img src=x onerror=alert(1)>"]) {
      await site.open("");
      await site.open(token);
      await site.sees("This link no longer works");
      expect(await site.page.textContent(".lead")).toContain("Ask for a new mail");
      expect(await site.page.locator("button").count()).toBe(0);
    }
    // The link is used while the page is open.
    const { link } = await site.ask(user.email);
    await site.open(link);
    await site.sees("Sign in to Harbour Notes");
    app.clock.advance(11 * MINUTE);
    await site.press("Sign in");
    await site.sees("This link no longer works");
    await site.page.getByRole("link", { name: "Go to Harbour Notes" }).waitFor();
    expect(site.complaints).toEqual([]);
  });

  browserTest("without a link there is nothing to press, and the page sends no request", async () => {
    await using site = await LinkSite.create(app);
    await site.open("");
    await site.sees("There is no link here");
    expect(site.requests.filter((request) => request.method() === "POST")).toEqual([]);
  });

  browserTest("another link in the same tab is another visit, even while the first one still loads", async () => {
    await using site = await LinkSite.create(app);
    const eve = await app.user("eve@example.com");
    const bob = await app.user("bob@example.com");
    const first = await site.ask(eve.email);
    const second = await site.ask(bob.email);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await site.page.route("**/v1/auth/link", async (route) => {
      if (route.request().postData()?.includes(first.link)) await held;
      await route.continue();
    });
    await site.open(first.link);
    await site.open(second.link);
    await site.page.getByText("b•••@example.com").waitFor();
    const late = site.page.waitForResponse((response) => response.request().postData()?.includes(first.link) ?? false);
    release();
    await (await late).finished();
    await site.page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
    expect(await site.page.textContent(".lead")).toContain("b•••@example.com");
    expect(site.page.url()).toBe(`${app.publicUrl}/link`);
  });

  browserTest("without a network, says so, keeps the link, and retries", async () => {
    await using site = await LinkSite.create(app);
    const { link } = await site.ask((await app.user()).email);
    await site.page.route("**/v1/auth/link", (route) => route.abort());
    await site.open(link);
    await site.sees("No connection");
    await site.press("Try again");
    await site.sees("No connection");
    await site.page.unroute("**/v1/auth/link");
    await site.press("Try again");
    await site.sees("Sign in to Harbour Notes");
    await site.page.route("**/v1/auth/email/complete", (route) => route.abort());
    await site.press("Sign in");
    await site.page.getByRole("alert").filter({ hasText: "could not reach its server" }).waitFor();
    await site.page.unroute("**/v1/auth/email/complete");
    await site.press("Sign in");
    await site.sees("You are signed in");
    expect(site.complaints).toEqual([]);
  });

  browserTest("tells too many requests from a failing server", async () => {
    await using site = await LinkSite.create(app);
    const { link } = await site.ask((await app.user()).email);
    const error = (code: string) => ({ error: { code, message: code, type: "x", request_id: "x", details: null } });
    await site.page.route("**/v1/auth/link", (route) =>
      route.fulfill({ status: 429, headers: { "retry-after": "150" }, json: error("rate_limited") }),
    );
    await site.open(link);
    await site.sees("Too many requests");
    expect(await site.page.textContent(".lead")).toContain("try again in 3 minutes.");
    await site.page.unroute("**/v1/auth/link");
    await site.page.route("**/v1/auth/link", (route) => route.fulfill({ status: 502, body: "<h1>Bad gateway</h1>" }));
    await site.press("Try again");
    await site.sees("Something went wrong");
    await site.page.unroute("**/v1/auth/link");
    await site.press("Try again");
    await site.sees("Sign in to Harbour Notes");
  });

  browserTest("handles a method that was turned off meanwhile, and an application without a home address", async () => {
    await using site = await LinkSite.create(app);
    const user = await app.user();
    await site.openMailTo(user);
    await site.sees("Sign in to Harbour Notes");
    await allowMail(app, ["password"]);
    await site.press("Sign in");
    await site.sees("This is no longer possible");
    await allowMail(app);
    await setApplication(app, { home_url: null });
    await site.openMailTo(user);
    await site.press("Sign in");
    await site.sees("You are signed in");
    await site.page.getByText("You can close this page.").waitFor();
    expect(await site.page.locator("a").count()).toBe(0);
  });

  browserTest("speaks German if the browser asks for it, in the title and to screen readers too", async () => {
    await using site = await LinkSite.create(app, { locale: "de-AT" });
    await site.openMailTo(await app.user("ada.de@example.com"));
    await site.sees("Bei Harbour Notes anmelden");
    expect(await site.page.getAttribute("html", "lang")).toBe("de");
    expect(await site.page.title()).toBe("Bei Harbour Notes anmelden");
    expect(await site.page.textContent(".lead")).toContain("in diesem Browser als a•••@example.com angemeldet.");
    await site.press("Anmelden");
    await site.sees("Sie sind angemeldet");
    await using french = await LinkSite.create(app, { locale: "fr-FR" });
    await french.open("");
    await french.sees("There is no link here");
    expect(await french.page.getAttribute("html", "lang")).toBe("en");
  });

  browserTest("needs no mouse: Tab and Enter suffice, and each view focuses its heading", async () => {
    await using site = await LinkSite.create(app);
    await site.openMailTo(await app.user());
    await site.sees("Sign in to Harbour Notes");
    const focused = () => site.page.evaluate(() => document.activeElement?.textContent ?? "");
    expect(await focused()).toBe("Sign in to Harbour Notes");
    await site.page.keyboard.press("Tab");
    expect(await focused()).toBe("Sign in");
    await site.page.keyboard.press("Enter");
    await site.sees("You are signed in");
    expect(await focused()).toBe("You are signed in");
    await site.page.keyboard.press("Tab");
    expect(await focused()).toBe("Go to Harbour Notes");
  });

  browserTest("a button works once, however often it is pressed", async () => {
    await using site = await LinkSite.create(app);
    await site.openMailTo(await app.user());
    await site.sees("Sign in to Harbour Notes");
    await site.page.evaluate(() => {
      const button = document.querySelector("button");
      for (let i = 0; i < 5; i++) button?.click();
    });
    await site.sees("You are signed in");
    expect(site.requests.filter((request) => request.url().endsWith("/complete"))).toHaveLength(1);
  });

  browserTest("an application's name is always text, and its home an address", async () => {
    await using site = await LinkSite.create(app);
    const name = '<img src=x onerror="document.title=1">{email}';
    await setApplication(app, { name, home_url: "javascript:alert(1)" });
    await site.openMailTo(await app.user());
    await site.sees(`Sign in to ${name}`);
    await site.press("Sign in");
    await site.sees("You are signed in");
    expect(await site.page.locator("img, a").count()).toBe(0);
    expect(site.complaints).toEqual([]);
  });

  browserTest("signs in to an application that is not the default one", async () => {
    await using site = await LinkSite.create(app);
    const { link } = await site.ask((await app.user()).email, {
      headers: { "x-application-id": app.applicationId },
    });
    await site.open(link);
    await site.press("Sign in");
    await site.sees("You are signed in");
    const names = (await site.cookies()).map(({ name }) => name).sort();
    const suffix = app.applicationId.slice(-12);
    expect(names).toEqual([`sallyport_at_${suffix}`, `sallyport_rt_${suffix}`]);
  });

  browserTest("a tenant's link calls the tenant's path", async () => {
    const acme = await app.tenant("acme");
    await allowMail(app);
    const user = await app.user(undefined, acme.id);
    await using site = await LinkSite.create(app);
    const { url } = await site.ask(user.email, { prefix: "/t/acme" });
    await site.page.goto(url);
    await site.press("Sign in");
    await site.sees("You are signed in");
    const calls = site.requests
      .filter((request) => request.method() === "POST")
      .map((request) => new URL(request.url()));
    expect(calls.map(({ pathname }) => pathname)).toEqual(["/t/acme/v1/auth/link", "/t/acme/v1/auth/email/complete"]);
  });
});
