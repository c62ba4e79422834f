import { afterAll, beforeAll, beforeEach, describe, expect } from "bun:test";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import { browserTest, closeBrowser, launch } from "./support/chromium.ts";
import { type Instance, startInstance } from "./support/instance.ts";
import { type PageServer, servePage } from "./support/page-server.ts";

const ENTRY = fileURLToPath(new URL("./support/session-page.ts", import.meta.url));
const PASSWORD = "correct horse battery staple";
const REFRESH = "/v1/auth/refresh";
let instance: Instance;
let site: PageServer;
let people = 0;

beforeAll(async () => {
  instance = await startInstance();
  const data = { url: instance.url, "application-id": instance.applicationId };
  site = await servePage({ entry: ENTRY, data, connect: [instance.url] });
});

afterAll(async () => {
  await closeBrowser();
  await site[Symbol.asyncDispose]();
  await instance[Symbol.asyncDispose]();
});

beforeEach(async () => {
  instance.ahead = 0;
  instance.before = () => {};
  await instance.change({ origins: [site.origin], access_token_ttl: 900 });
  instance.seen.length = 0;
});

async function newContext(): Promise<AsyncDisposable & { context: BrowserContext; open(at?: string): Promise<Page> }> {
  const context = await (await launch()).newContext();
  return {
    context,
    open: async (at = site.origin) => {
      const page = await context.newPage();
      await page.goto(at);
      await page.waitForFunction(() => window.sallyport !== undefined);
      return page;
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}

const status = (page: Page) => page.evaluate(() => window.sallyport.session.state.status);
const token = (page: Page) => page.evaluate(() => window.sallyport.session.getAccessToken());
const user = (page: Page) => page.evaluate(() => window.sallyport.session.state.user?.email ?? null);
const becomes = (page: Page, wanted: string) =>
  page.waitForFunction((text) => window.sallyport.session.state.status === text, wanted, { timeout: 10_000 });

/** Signs a new person up. @returns the address */
async function signUp(page: Page): Promise<string> {
  const email = `person-${++people}@example.com`;
  await becomes(page, "signed-out");
  await page.evaluate((input) => window.sallyport.session.signUp(input), { email, password: PASSWORD });
  return email;
}

/** The code that a promise in the page rejects with. */
function codeOf(page: Page, run: "signOut" | "getAccessToken" | "refresh" | "session"): Promise<string | null> {
  return page.evaluate(async (what) => {
    const { session } = window.sallyport;
    const call = what === "session" ? session.client.auth.session.query() : session[what]();
    return (call as Promise<unknown>).then(
      () => null,
      (error) => error.code,
    );
  }, run);
}

describe("one tab", () => {
  browserTest("signs up, in and out, and knows who is there after a reload", async () => {
    await using profile = await newContext();
    const page = await profile.open();
    const email = await signUp(page);
    expect(await user(page)).toBe(email);
    const called = await page.evaluate(() => window.sallyport.session.client.auth.session.query());
    expect(called.user.email).toBe(email);
    expect(await page.evaluate(() => window.sallyport.session.state.session?.sid ?? "")).toBe(called.session.id);
    await page.reload();
    await becomes(page, "signed-in");
    expect(await user(page)).toBe(email);
    await page.evaluate(() => window.sallyport.session.signOut());
    expect(await page.evaluate(() => window.sallyport.session.state)).toMatchObject({
      status: "signed-out",
      reason: "sign-out",
    });
    expect(await token(page)).toBeNull();
    await page.reload();
    await becomes(page, "signed-out");
    const input = { email, password: PASSWORD };
    const answer = await page.evaluate((given) => window.sallyport.session.signIn(given), input);
    expect(answer).toEqual({ status: "success", user: expect.objectContaining({ email }) });
    const wrong = await page.evaluate(
      (given) => window.sallyport.session.signIn({ ...given, password: "wrong" }).catch((error) => error.code),
      input,
    );
    expect(wrong).toBe("invalid_credentials");
    expect(await status(page)).toBe("signed-in");
  });

  browserTest("no script finds a token where it could be kept", async () => {
    await using profile = await newContext();
    const page = await profile.open();
    await signUp(page);
    await page.evaluate(() => window.sallyport.session.refresh());
    const found = await page.evaluate(async () => ({
      local: Object.keys(localStorage),
      session: Object.keys(sessionStorage),
      cookie: document.cookie,
      databases: (await indexedDB.databases()).length,
      caches: (await caches.keys()).length,
    }));
    expect(found).toEqual({ local: [], session: [], cookie: "", databases: 0, caches: 0 });
    const cookies = await profile.context.cookies(`${instance.url}${REFRESH}`);
    expect(cookies.map(({ name, httpOnly, sameSite, path }) => [name.slice(0, 12), httpOnly, sameSite, path])).toEqual([
      ["sallyport_rt", true, "Lax", "/v1/auth"],
    ]);
  });
});
