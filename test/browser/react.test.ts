import { describe, expect } from "bun:test";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { browserTest } from "./support/chromium.ts";
import type { ReactPage } from "./support/react-page.tsx";
import { ReactSite } from "./support/react-site.ts";
import { PASSWORD, setUpStage } from "./support/stage.ts";

const SHOTS = process.env.SALLYPORT_SCREENSHOTS;
const stage = setUpStage();

let people = 0;
const newEmail = () => `react-${++people}@example.com`;

const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent ?? "");

describe("the components", () => {
  browserTest("sign a user up, out and in, by name, label and role", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    const email = newEmail();
    await site.signUp(email);
    expect(await page.textContent("#greeting")).toBe("Hello, Ada Lovelace");
    await page.click("#who");
    await page.waitForFunction((address) => document.title === address, email);
    await site.signOut();
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByLabel("Email address").fill(email);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#greeting");
    expect(site.complaints).toEqual([]);
  });

  browserTest("show problems: a summary takes the focus, and each field shows its own", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    expect(await focused(page)).toContain("Check these fields");
    const email = page.getByLabel("Email address");
    expect(await email.getAttribute("aria-invalid")).toBe("true");
    const described = await email.getAttribute("aria-describedby");
    expect(await page.locator(`[id="${described}"]`).textContent()).toBe("Enter your email address.");
    await page.getByRole("link", { name: "Enter your password." }).click();
    expect(await page.evaluate(() => document.activeElement?.getAttribute("name"))).toBe("password");
    expect(page.url()).not.toContain("#");
    await email.fill("nobody@example.com");
    await page.getByLabel("Password", { exact: true }).fill("wrong");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByText("Wrong password, or no account with this address.").waitFor();
    expect(await focused(page)).toContain("Wrong password");
    expect(await email.getAttribute("aria-invalid")).toBe("false");
    expect(site.complaints).toEqual([]);
  });

  browserTest("show the appliance's reasons against a password, and that an address is taken", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    const email = newEmail();
    await site.signUp(email);
    await site.signOut();
    await page.getByRole("button", { name: "Create account" }).click();
    const again = async (password: string) => {
      await page.getByLabel("Email address").fill(email);
      await page.getByLabel("Password", { exact: true }).fill(password);
      await page.getByRole("button", { name: "Create account" }).click();
    };
    await again("short");
    const field = page.getByLabel("Password", { exact: true });
    await page.locator(".sallyport-field-problem").waitFor();
    const ids = (await field.getAttribute("aria-describedby"))?.split(" ") ?? [];
    const texts = await Promise.all(ids.map((id) => page.locator(`[id="${id}"]`).textContent()));
    expect(texts).toHaveLength(2);
    expect(texts[0]).toContain("15");
    await again(PASSWORD);
    await page.getByRole("link", { name: "An account with this address already exists." }).waitFor();
  });

  browserTest("work with password managers and with fingers", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    const attributes = () =>
      page.$$eval("input", (inputs) => inputs.map(({ name, type, autocomplete }) => [name, type, autocomplete]));
    expect(await attributes()).toEqual([
      ["email", "email", "username webauthn"],
      ["password", "password", "current-password"],
    ]);
    await page.getByRole("button", { name: "Show password" }).click();
    expect((await attributes())[1]).toEqual(["password", "text", "current-password"]);
    await page.getByRole("button", { name: "Hide password" }).click();
    expect((await attributes())[1]?.[1]).toBe("password");
    expect(await page.getAttribute("form", "method")).toBe("post");
    await page.getByRole("button", { name: "Create account" }).click();
    expect(await attributes()).toEqual([
      ["display_name", "text", "name"],
      ["email", "email", "username"],
      ["password", "password", "new-password"],
    ]);
  });

  browserTest("open and close the account's panel by keyboard, and return the focus", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    await site.signUp(newEmail());
    const button = page.getByRole("button", { name: "Account of Ada Lovelace" });
    await button.focus();
    await page.keyboard.press("Enter");
    expect(await button.getAttribute("aria-expanded")).toBe("true");
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Manage account");
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Sign out");
    await page.keyboard.press("Escape");
    expect(await button.getAttribute("aria-expanded")).toBe("false");
    expect(await focused(page)).toContain("Account of Ada");
    await button.click();
    await page.click("h1");
    expect(await button.getAttribute("aria-expanded")).toBe("false");
    await page.context().setOffline(true);
    await button.click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.getByRole("alert").filter({ hasText: "cannot be reached" }).waitFor();
    expect(await page.textContent("#status")).toBe("signed-in");
  });

  browserTest("hand a second factor to the application", async () => {
    await using site = await ReactSite.open(stage, { search: "?own-factors" });
    const { page } = site;
    const origin = new URL(page.url()).origin;
    const mfa = { status: "mfa_required", mfa_token: "m", mfa_token_expires_in: 300, methods: ["totp"] };
    const headers = { "access-control-allow-origin": origin, "access-control-allow-credentials": "true" };
    await page.route("**/v1/auth/login", (route) => route.fulfill({ json: mfa, headers }));
    await page.getByLabel("Email address").fill("ada@example.com");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.waitForSelector("#factors");
    expect(await page.textContent("#factors")).toBe("totp");
  });

  browserTest(
    "say above the form that a session has ended, and without a notice that an origin is not allowed",
    async () => {
      await using site = await ReactSite.open(stage, { search: "?no-notice" });
      const { page } = site;
      const email = newEmail();
      await site.signUp(email);
      stage.instance.ahead = 31 * 86_400_000;
      await page.evaluate(() => window.sallyport.session.refresh());
      await page.getByText("Your session has ended. Sign in again.").waitFor();
      await page.reload();
      await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
      expect(await page.locator(".sallyport-note").count()).toBe(0);
      await stage.instance.change({ origins: [] });
      await page.reload();
      await page.locator(".sallyport-note", { hasText: "allowed origins" }).waitFor();
      expect(await page.locator(".sallyport-notice").count()).toBe(0);
    },
  );

  browserTest("take their colours from the page's variables", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    const background = () => page.$eval(".sallyport-primary", (button) => getComputedStyle(button).backgroundColor);
    const before = await background();
    await page.evaluate(() => document.documentElement.style.setProperty("--sallyport-accent", "rgb(1, 2, 3)"));
    expect(await background()).toBe("rgb(1, 2, 3)");
    await page.evaluate(() => document.documentElement.style.removeProperty("--sallyport-accent"));
    await page.evaluate(() => document.documentElement.setAttribute("data-sallyport-theme", "dark"));
    expect(await background()).not.toBe(before);
  });
});

describe.each([
  ["narrow", 320],
  ["wide", 1024],
])("%s", (size, width) => {
  browserTest.each([["light"], ["dark"]] as const)("%s: axe finds nothing, in any state", async (colorScheme) => {
    await using site = await ReactSite.open(stage, { colorScheme, viewport: { width, height: 760 }, bypassCSP: true });
    const { page } = site;
    await page.addScriptTag({ content: axe.source });
    const check = async (state: string) => {
      if (SHOTS) await page.screenshot({ path: `${SHOTS}/${state}-${size}-${colorScheme}.png` });
      const found = await page.evaluate(async () => {
        const { axe: onPage } = window as unknown as { axe: typeof axe };
        return (await onPage.run()).violations.map(({ id, nodes }) => `${id}: ${JSON.stringify(nodes)}`);
      });
      expect(found).toEqual([]);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow).toBeLessThanOrEqual(0);
    };
    await check("sign-in");
    await page.getByLabel("Email address").fill("ada@example.com");
    await page.getByLabel("Password", { exact: true }).fill("a wrong password");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("alert").waitFor();
    await check("sign-in-refused");
    await page.getByLabel("Email address").fill("");
    await page.getByLabel("Password", { exact: true }).fill("");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await check("sign-in-problems");
    await page.getByRole("button", { name: "Create account" }).click();
    await check("sign-up");
    await page.getByLabel("Email address").fill("not an address");
    await page.getByLabel("Password", { exact: true }).fill("short");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.locator(".sallyport-field-problem").first().waitFor();
    await check("sign-up-problems");
    await page.getByLabel("Your name").fill("Ada Lovelace");
    await page.getByLabel("Email address").fill(newEmail());
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByRole("button", { name: "Account of Ada Lovelace" }).click();
    await check("user-button");
  });
});

describe("rendering", () => {
  browserTest("happens once per refresh, and never at rest", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    await site.signUp(newEmail());
    const renders = () => page.evaluate(() => (window.sallyport as unknown as ReactPage).renders);
    const before = await renders();
    await page.evaluate(() => window.sallyport.session.refresh());
    await page.waitForTimeout(100);
    expect((await renders()) - before).toBe(1);
  });
});
