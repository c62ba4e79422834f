import { afterAll, beforeEach, describe, expect, setDefaultTimeout } from "bun:test";
import axe from "axe-core";
import type { BrowserContextOptions, Page } from "playwright-core";
import { Inbox } from "../../src/mail/inbox.ts";
import { inWordsOf, languages } from "../../src/mail/languages.ts";
import { render } from "../../src/mail/render.ts";
import { isTemplateName, SAMPLE_VALUES } from "../../src/mail/template-text.ts";
import { TEMPLATE_VALUES } from "../../src/mail/templates/template.ts";
import { order } from "../mail/support/orders.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { browserTest, closeBrowser, launch } from "./support/chromium.ts";

setDefaultTimeout(60_000);
const SHOTS = process.env.SALLYPORT_SCREENSHOTS;
const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1200, height: 800 } };

let app: TestApp | undefined;
beforeEach(async () => {
  await app?.close();
  app = undefined;
});
afterAll(async () => {
  await app?.close();
  await closeBrowser();
});

async function started(): Promise<TestApp> {
  app = await startApp({ inbox: new Inbox() });
  return app;
}

async function mail(to: string, template: "reset_password" | "email_known" = "reset_password"): Promise<void> {
  if (!app) return;
  await order(app, { to, template });
  await app.identity.outbox.deliver();
}

/** Opens the page in its own profile. A line in the console or a violation of its policy is a failure. */
async function open(options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
  const context = await (await launch()).newContext(options);
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => complaints.push(message.text()));
  await page.goto(`${app?.publicUrl}/dev/inbox`);
  return { page, complaints };
}

async function violations(page: Page) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { axe: onPage } = window as unknown as { axe: typeof axe };
    const { violations } = await onPage.run(document, { iframes: false });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
  });
  return found;
}

describe("the inbox page", () => {
  browserTest("shows mails as they arrive, with code and link, as HTML and as text, by keyboard", async () => {
    await started();
    const { page, complaints } = await open();
    await page.getByText("No mail yet").waitFor();
    await mail("ada@example.com");
    const entry = page.getByRole("link", { name: /ada@example\.com/ });
    await entry.waitFor();
    await entry.focus();
    await mail("bob@example.com", "email_known");
    await page.getByRole("link", { name: /bob@example\.com/ }).waitFor();
    expect(await page.title()).toBe("(2) Inbox: Sallyport");
    expect(await page.textContent("#news")).toContain("New mail to bob@example.com");
    // A new mail does not take the focus.
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain("ada@example.com");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Reset your password" }).waitFor();
    expect(await page.textContent("#code")).toBe("1234 5678");
    const [caught] =
      (app as TestApp).secrets.size > 0 ? [...(app as TestApp).secrets].filter((s) => s.includes("#")) : [];
    expect(await page.getAttribute("#link", "href")).toBe(caught as string);
    const preview = page.frameLocator("#html");
    await preview.getByRole("link", { name: "Set a new password" }).waitFor();
    await page.getByRole("button", { name: "Text" }).click();
    expect(await page.textContent("#text")).toContain("Set a new password:\n");
    expect(await page.isVisible("#html")).toBe(false);
    await page.getByRole("link", { name: /bob@example\.com/ }).click();
    await page.getByRole("heading", { name: /tried to add/ }).waitFor();
    expect(await page.isVisible("#acts")).toBe(false);
    await page.goBack();
    await page.getByRole("heading", { name: "Reset your password" }).waitFor();
    await page.getByRole("button", { name: "Delete all" }).click();
    await page.getByText("No mail yet").waitFor();
    expect(complaints).toEqual([]);
  });

  browserTest("on a phone shows either the list or a mail", async () => {
    await started();
    await mail("ada@example.com");
    const { page } = await open({ viewport: WIDTHS.phone });
    await page.getByRole("link", { name: /ada@example\.com/ }).click();
    await page.getByRole("heading", { name: "Reset your password" }).waitFor();
    expect(await page.isVisible("#list")).toBe(false);
    await page.getByRole("link", { name: "All mails" }).click();
    await page.locator("#list").waitFor();
    expect(await page.isVisible("#article")).toBe(false);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  });

  for (const colorScheme of ["light", "dark"] as const) {
    for (const [width, viewport] of Object.entries(WIDTHS)) {
      browserTest(`${colorScheme}, ${width}: axe finds nothing, empty, in the list and in a mail`, async () => {
        await started();
        const { page } = await open({ colorScheme, viewport });
        await page.getByText("No mail yet").waitFor();
        expect(await violations(page)).toEqual([]);
        await mail("bob@example.com", "email_known");
        await mail("ada@example.com");
        const entry = page.getByRole("link", { name: /ada@example\.com/ });
        await entry.waitFor();
        expect(await violations(page)).toEqual([]);
        if (SHOTS) await page.screenshot({ path: `${SHOTS}/inbox-list-${colorScheme}-${width}.png` });
        await entry.click();
        await page.frameLocator("#html").getByRole("link", { name: "Set a new password" }).waitFor();
        expect(await violations(page)).toEqual([]);
        if (SHOTS) await page.screenshot({ path: `${SHOTS}/inbox-mail-${colorScheme}-${width}.png` });
      });
    }
  }
});

describe("the mails themselves", () => {
  for (const colorScheme of ["light", "dark"] as const) {
    browserTest(`${colorScheme}: axe finds nothing in any of them, and none is wider than a phone`, async () => {
      const context = await (await launch()).newContext({ colorScheme, viewport: { width: 320, height: 640 } });
      const page = await context.newPage();
      for (const [code, language] of Object.entries(languages)) {
        for (const name of Object.keys(TEMPLATE_VALUES).filter(isTemplateName)) {
          const { html } = render(language.templates[name], inWordsOf(language, SAMPLE_VALUES), code);
          await page.setContent(html);
          const fits = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
          // A mail is not a page: it has no landmarks, and its first heading is its subject.
          const found = (await violations(page)).filter((text) => !/^(landmark|region|page-has-heading)/.test(text));
          expect({ code, name, fits, found }).toEqual({ code, name, fits: true, found: [] });
        }
      }
      await context.close();
    });
  }
});
