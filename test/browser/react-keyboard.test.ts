import { describe, expect } from "bun:test";
import type { Page } from "playwright-core";
import { totp } from "../support/totp.ts";
import { browserTest } from "./support/chromium.ts";
import { ReactSite } from "./support/react-site.ts";
import { PASSWORD, setUpStage } from "./support/stage.ts";

const stage = setUpStage();

/** The focused element's name, as a screen reader announces it. */
const focusName = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement as HTMLElement | null;
    if (element === document.body) return "the page";
    const label = (element as HTMLInputElement | null)?.labels?.[0]?.textContent;
    return (element?.getAttribute("aria-label") ?? label ?? element?.textContent ?? "").trim();
  });

/** Presses Tab until `name` has a visible focus. @throws Error if Tab does not reach it */
async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  const seen: string[] = [];
  for (let i = 0; i < 60; i++) {
    const current = await focusName(page);
    if (typeof name === "string" ? current === name : name.test(current)) {
      const { style, width } = await page.evaluate(() => {
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement as Element);
        return { style: outlineStyle, width: Number.parseFloat(outlineWidth) };
      });
      expect([current, style, width >= 2]).toEqual([current, "solid", true]);
      return;
    }
    seen.push(current);
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${name}: ${seen.join(" | ")}`);
}

async function press(page: Page, name: string | RegExp, key = "Enter"): Promise<void> {
  await tabTo(page, name);
  await page.keyboard.press(key);
}

async function type(page: Page, name: string, text: string): Promise<void> {
  await tabTo(page, name);
  await page.keyboard.type(text);
}

describe("without a mouse", () => {
  browserTest("a user signs up, sets up a second factor, signs in with it, and deletes the account", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    const email = "keyboard@example.com";
    await press(page, "Create account");
    await type(page, "Your name", "Ada Lovelace");
    await type(page, "Email address", email);
    await type(page, "Password", PASSWORD);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#greeting");
    await stage.instance.prove();

    await press(page, /Account of/);
    await press(page, "Manage account");
    await page.getByRole("heading", { name: "Delete account" }).waitFor();
    await press(page, "Set up an authenticator app");
    await page.locator(".sallyport-secret").waitFor();
    expect(await focusName(page)).toBe("Code from your authenticator app");
    const secret = (await page.locator(".sallyport-secret").textContent())?.replaceAll(" ", "") ?? "";
    await page.keyboard.type(totp(secret, stage.instance.now()));
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Keep your recovery codes" }).waitFor();
    await press(page, "I have kept these codes", "Space");
    await press(page, "Done");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    stage.instance.ahead += 30_000;

    // The button that opened it is gone.
    await page.waitForFunction(() => document.activeElement?.textContent === "Second step at sign-in");
    await press(page, /Account of/);
    await press(page, "Sign out");
    await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
    await type(page, "Email address", email);
    await type(page, "Password", PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Confirm that it is you" }).waitFor();
    await page.keyboard.type(totp(secret, stage.instance.now()));
    await page.keyboard.press("Enter");
    await page.waitForSelector("#greeting");

    await press(page, /Account of/);
    await press(page, "Manage account");
    await page.getByRole("heading", { name: "Delete account" }).waitFor();
    await press(page, "Delete my account");
    await press(page, "I understand that this cannot be undone", "Space");
    await press(page, "Delete my account");
    await page.waitForFunction(() => document.querySelector("#status")?.textContent === "signed-out");
    expect(site.complaints).toEqual([]);
  });
});
