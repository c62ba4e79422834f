import { describe, expect } from "bun:test";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import type { BrowserContextOptions, Page } from "playwright-core";
import { browserTest, launch } from "./support/chromium.ts";
import { type PageServer, servePage } from "./support/page-server.ts";
import { ReactSite } from "./support/react-site.ts";
import { pageData, setUpStage } from "./support/stage.ts";

const SHOTS = process.env.SALLYPORT_SCREENSHOTS;
const stage = setUpStage();
const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Serves the React page with an appliance that is elsewhere, or missing. */
function siteOf(url: string): Promise<PageServer> {
  return servePage({
    entry: pathOf("./support/react-page.tsx"),
    styles: ReactSite.styles,
    data: { ...pageData(stage.instance), url },
    connect: [url],
  });
}

interface Opened extends AsyncDisposable {
  page: Page;
  logged: string[];
}

async function open(address: string, options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await (await launch()).newContext({ bypassCSP: true, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const logged: string[] = [];
  page.on("console", (message) => logged.push(message.text()));
  await page.goto(address);
  return { page, logged, [Symbol.asyncDispose]: () => context.close() };
}

const noticeOn = (page: Page) => page.locator(".sallyport-notice");
const saidIn = (logged: readonly string[]) => logged.filter((line) => line.startsWith("Sallyport cannot find out"));

async function axeFindings(page: Page, name: string): Promise<string[]> {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/notice-${name}.png` });
  await page.addScriptTag({ content: axe.source });
  return page.evaluate(async () => {
    const { axe: onPage } = window as unknown as { axe: typeof axe };
    return (await onPage.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
}

describe("a page whose appliance", () => {
  browserTest("is down says so in the page and once in the console, and works when it is back", async () => {
    await using site = await siteOf(stage.instance.url);
    await stage.instance.change({ origins: [site.origin] });
    const context = await (await launch()).newContext({ bypassCSP: true });
    const page = await context.newPage();
    const logged: string[] = [];
    page.on("console", (message) => logged.push(message.text()));
    await page.route(`${stage.instance.url}/**`, (route) => route.abort("connectionrefused"));
    await page.goto(site.origin);
    await noticeOn(page).getByText("Sign-in is unavailable").waitFor();
    expect(await page.textContent("#status")).toBe("loading");
    expect(await axeFindings(page, "down")).toEqual([]);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("button", { name: "Try again" }).waitFor();
    expect(saidIn(logged)).toEqual([expect.stringContaining(`${stage.instance.url} could not be reached`)]);
    await page.unroute(`${stage.instance.url}/**`);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
    expect(await noticeOn(page).count()).toBe(0);
    await context.close();
  });

  browserTest("refuses its origin names the command that allows it", async () => {
    await using site = await siteOf(stage.instance.url);
    await using opened = await open(site.origin);
    const { page, logged } = opened;
    await noticeOn(page).getByText(`does not accept requests from ${site.origin}`).waitFor();
    // The notice says it, so the form does not say it again.
    await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
    expect(await page.locator(".sallyport-note").count()).toBe(0);
    const command = await page.locator(".sallyport-command").textContent();
    expect(command).toBe(`sallyport app set ${stage.instance.applicationId} --add-origin ${site.origin}`);
    expect(saidIn(logged)).toEqual([expect.stringContaining(`does not answer pages of ${site.origin}`)]);
    expect(await axeFindings(page, "refused")).toEqual([]);
  });

  browserTest("is behind a proxy that answers for it does not count as refusing", async () => {
    // Like a gateway, it answers every request without the headers that let a page read it.
    await using proxy = await servePage({
      entry: pathOf("./support/react-page.tsx"),
      data: {},
      connect: [],
      api: () => new Response("Bad gateway", { status: 502 }),
    });
    await using site = await siteOf(proxy.origin);
    await using opened = await open(site.origin);
    await noticeOn(opened.page).getByText("Sign-in is unavailable").waitFor();
    expect(await opened.page.textContent("#status")).toBe("loading");
  });

  browserTest("loses one request does not count as refusing", async () => {
    await using site = await siteOf(stage.instance.url);
    await stage.instance.change({ origins: [site.origin] });
    const context = await (await launch()).newContext();
    const page = await context.newPage();
    await page.route(`${stage.instance.url}/v1/auth/refresh`, (route) => route.abort(), { times: 1 });
    await page.goto(site.origin);
    await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
    expect(await noticeOn(page).count()).toBe(0);
    await context.close();
  });

  browserTest("has an http address, when the page was loaded over https, says that the browser blocks it", async () => {
    await using site = await siteOf("http://login.shop.example");
    const context = await (await launch()).newContext({ bypassCSP: true });
    const page = await context.newPage();
    const logged: string[] = [];
    const asked: string[] = [];
    page.on("console", (message) => logged.push(message.text()));
    await page.route("**", async (route) => {
      const url = new URL(route.request().url());
      asked.push(url.hostname);
      const response = await fetch(`${site.origin}${url.pathname}`);
      const headers = { "content-type": response.headers.get("content-type") ?? "" };
      await route.fulfill({ status: response.status, headers, body: Buffer.from(await response.arrayBuffer()) });
    });
    await page.goto("https://shop.example/");
    await noticeOn(page).getByText("The browser blocks sign-in on this page").waitFor();
    expect(saidIn(logged)).toEqual([expect.stringContaining("http://login.shop.example, an http address")]);
    expect(new Set(asked)).toEqual(new Set(["shop.example"]));
    expect(await axeFindings(page, "mixed")).toEqual([]);
    await context.close();
  });

  for (const colorScheme of ["light", "dark"] as const) {
    browserTest(`refuses its origin says so in German as well, on a phone, ${colorScheme}`, async () => {
      await using site = await siteOf(stage.instance.url);
      const options = { colorScheme, viewport: { width: 375, height: 812 } };
      await using opened = await open(`${site.origin}?lang=de`, options);
      const { page } = opened;
      await noticeOn(page).getByText("Die Anmeldung ist für diese Seite nicht eingerichtet").waitFor();
      expect(await axeFindings(page, `refused-de-${colorScheme}`)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    });
  }
});
