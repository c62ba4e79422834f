import { afterAll, describe, expect, setDefaultTimeout } from "bun:test";
import axe from "axe-core";
import { Inbox } from "../../src/mail/inbox.ts";
import { startApp } from "../support/app.ts";
import { browserTest, closeBrowser, launch } from "./support/chromium.ts";

setDefaultTimeout(60_000);
const SHOTS = process.env.SALLYPORT_SCREENSHOTS;
const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };

afterAll(closeBrowser);

describe.each([
  ["dev", true],
  ["serve", false],
] as const)("the welcome page of %s", (command, hasInbox) => {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const [width, viewport] of Object.entries(WIDTHS)) {
      browserTest(`${width}, ${colorScheme}: axe finds nothing, and nothing is wider than the window`, async () => {
        const app = await startApp(hasInbox ? { inbox: new Inbox() } : {});
        const context = await (await launch()).newContext({ colorScheme, viewport, bypassCSP: true });
        const page = await context.newPage();
        await page.goto(app.publicUrl);
        if (SHOTS) {
          await page.screenshot({ path: `${SHOTS}/welcome-${command}-${width}-${colorScheme}.png`, fullPage: true });
        }
        expect(await page.getByRole("link", { name: "Try it" }).count()).toBe(hasInbox ? 2 : 0);
        await page.evaluate(axe.source);
        const found = await page.evaluate(async () => {
          const { axe: onPage } = window as unknown as { axe: typeof axe };
          return (await onPage.run()).violations.map(
            ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`,
          );
        });
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect([overflow, found]).toEqual([0, []]);
        await context.close();
        await app.close();
      });
    }
  }
});
