import { describe, expect } from "bun:test";
import { requireSession } from "../../src/sdk/express/index.ts";
import { totp } from "../support/totp.ts";
import { browserTest } from "./support/chromium.ts";
import { addTotp } from "./support/factors.ts";
import { ReactSite } from "./support/react-site.ts";
import { PASSWORD, setUpStage } from "./support/stage.ts";

const stage = setUpStage();
/** Longer than a sign-in counts as fresh, but shorter than a token's life. */
const AGES = 11 * 60_000;

const NEXT = "another horse, another battery";

let people = 0;
const newEmail = () => `step-up-${++people}@example.com`;

/** `/api/publish` of the page's own server, behind the Express middleware. */
function guard(need: { aal?: "aal2"; maxAge?: number }): { asked: number } {
  const seen = { asked: 0 };
  const { url, applicationId } = stage.instance;
  const check = requireSession({ tenantUrl: url, applicationId, now: () => stage.instance.now(), ...need });
  stage.api = (request) => {
    if (!request.url.endsWith("/api/publish")) return undefined;
    seen.asked++;
    const headers: Record<string, string> = {};
    return new Promise((resolve) => {
      const response = {
        statusCode: 200,
        setHeader: (name: string, value: string) => {
          headers[name] = value;
        },
        end: (body: string) => resolve(new Response(body, { status: response.statusCode, headers })),
      };
      const asking = { method: request.method, headers: Object.fromEntries(request.headers) };
      check(asking, response, () => resolve(Response.json({ published: true })));
    });
  };
  return seen;
}

describe("an action that needs a fresh sign-in", () => {
  browserTest("asks for the password, and is then done", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    const email = newEmail();
    await site.signUp(email);
    await site.openAccount();
    stage.instance.ahead += AGES;
    await page.getByLabel("Another email address").fill(newEmail());
    await page.getByRole("button", { name: "Add address" }).click();
    const dialog = page.getByRole("dialog", { name: "Confirm that it is you" });
    expect(await dialog.getByLabel("Password", { exact: true }).getAttribute("autocomplete")).toBe("current-password");
    expect(await site.focused()).toBe("password");
    await dialog.getByLabel("Password", { exact: true }).fill("not this one");
    await page.keyboard.press("Enter");
    await dialog.getByRole("link", { name: "That is not your password." }).waitFor();
    const before = await page.evaluate(() => window.sallyport.session.state.session);
    await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await page.getByLabel("Code from the mail").waitFor();
    const after = await page.evaluate(() => window.sallyport.session.state.session);
    expect(after?.sub).toBe(before?.sub ?? "");
    expect(after?.sid).not.toBe(before?.sid ?? "");
    expect(after?.auth_time).toBeGreaterThan(before?.auth_time ?? 0);
    expect(site.complaints).toEqual([]);
  });

  browserTest("is a new password and the copy of all data too, each with its own question", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    await site.signUp(newEmail());
    await site.openAccount();
    const dialog = page.getByRole("dialog", { name: "Confirm that it is you" });
    stage.instance.ahead += AGES;
    const section = site.section("Password");
    await section.getByRole("button", { name: "Change password" }).click();
    await section.getByLabel("Current password", { exact: true }).fill(PASSWORD);
    await section.getByLabel("New password", { exact: true }).fill(NEXT);
    await page.keyboard.press("Enter");
    await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.keyboard.press("Enter");
    await section.getByText("Your password is changed.").waitFor();
    stage.instance.ahead += AGES;
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download my data" }).click();
    await dialog.getByLabel("Password", { exact: true }).fill(NEXT);
    await page.keyboard.press("Enter");
    expect((await saved).suggestedFilename()).toBe("my-data.json");
    expect(site.complaints).toEqual([]);
  });

  browserTest("is not done if the user declines, and nobody is signed out", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    await site.signUp(newEmail());
    await site.openAccount();
    stage.instance.ahead += AGES;
    await page.getByRole("button", { name: "Add a passkey" }).click();
    const dialog = page.getByRole("dialog", { name: "Confirm that it is you" });
    await dialog.getByLabel("Password", { exact: true }).waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("alert").filter({ hasText: "Confirm first that it is you" }).waitFor();
    expect(await site.focused()).toBe("Add a passkey");
    expect(await page.textContent("#status")).toBe("signed-in");
  });

  browserTest("asks for the second factor if there is one", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    await site.signUp(newEmail());
    await site.openAccount();
    const { secret } = await addTotp(stage, site);
    stage.instance.ahead += AGES;
    await page.getByRole("button", { name: "New recovery codes" }).click();
    await page.getByRole("button", { name: "Make new codes" }).click();
    const dialog = page.getByRole("dialog", { name: "Confirm that it is you" });
    await dialog.getByLabel("Code from your authenticator app").fill(totp(secret, stage.instance.now()));
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Keep your recovery codes" }).waitFor();
    expect(site.complaints).toEqual([]);
  });
});

describe("a server of the application's own", () => {
  browserTest("that wants a fresh sign-in gets one, and two calls ask once", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    await site.signUp(newEmail());
    const seen = guard({ maxAge: 60 });
    stage.instance.ahead += AGES;
    const answers = page.evaluate(() =>
      Promise.all([1, 2].map(async () => (await window.sallyport.session.fetch("/api/publish")).status)),
    );
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
    const refreshes = stage.instance.count("/v1/auth/refresh");
    await page.keyboard.press("Enter");
    expect(await answers).toEqual([200, 200]);
    expect(await dialog.count()).toBe(0);
    // The sign-in helped, not a refresh: a token that needs a step-up has not expired.
    expect(stage.instance.count("/v1/auth/refresh")).toBe(refreshes);
    expect(seen.asked).toBe(4);
  });

  browserTest("that wants a second factor has it set up if it is missing", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    await site.signUp(newEmail());
    guard({ aal: "aal2" });
    stage.instance.ahead += AGES;
    await page.getByRole("button", { name: "Publish" }).click();
    const dialog = page.getByRole("dialog", { name: "Set up an authenticator app" });
    // The set-up itself needs a fresh sign-in.
    await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.keyboard.press("Enter");
    await dialog.locator(".sallyport-secret").waitFor();
    const secret = (await dialog.locator(".sallyport-secret").textContent())?.replaceAll(" ", "") ?? "";
    await dialog.getByLabel("Code from your authenticator app").fill(totp(secret, stage.instance.now()));
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Keep your recovery codes" }).waitFor();
    await page.waitForFunction(() => document.querySelector("#answer")?.textContent === "200");
    expect(site.complaints).toEqual([]);
  });

  browserTest("gives the call its refusal if the user declines", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    await site.signUp(newEmail());
    guard({ maxAge: 60 });
    stage.instance.ahead += AGES;
    await page.getByRole("button", { name: "Publish" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    await page.waitForFunction(() => document.querySelector("#answer")?.textContent === "401");
    expect(await page.textContent("#status")).toBe("signed-in");
  });
});
