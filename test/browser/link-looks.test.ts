import { afterAll, beforeAll, describe, expect, setDefaultTimeout } from "bun:test";
import type { ProofKind } from "../../src/identity/email-proofs/proofs.ts";
import type { TestApp } from "../support/app.ts";
import { browserTest, closeBrowser } from "./support/chromium.ts";
import { LinkSite, startLinkApp } from "./support/link-site.ts";

setDefaultTimeout(60_000);

let app: TestApp;
beforeAll(async () => {
  app = await startLinkApp();
});
afterAll(async () => {
  await closeBrowser();
  await app.close();
});

/** For each kind: its button, its procedure, and the headings before and after. */
const KINDS: readonly [kind: ProofKind, path: string, before: string, button: string, after: string][] = [
  ["sign_up", "register/complete", "Create your account", "Create the account", "Your account is ready"],
  ["verify_email", "email/verify", "Confirm your address", "Confirm the address", "Your address is confirmed"],
  ["undo_email_change", "email/undo", "Undo the change of address", "Undo the change", "The change is undone"],
];
const success = { status: "success" };
const required = (methods: string[], setup = false) => ({
  status: "mfa_required",
  mfa_token: "not-one",
  mfa_token_expires_in: 300,
  methods,
  setup_required: setup,
});
const refusal = (code: string, details: unknown = null) => ({
  error: { code, message: code, type: "authentication_error", request_id: "x", details },
});

// The answers of other procedures are played here: these tests are about how each view looks and reads.
describe.each([
  ["phone", 375, 760],
  ["desktop", 1280, 800],
] as const)("%s", (size, width, height) => {
  browserTest.each([["light"], ["dark"]] as const)("%s: axe finds nothing, in any state", async (colorScheme) => {
    await using site = await LinkSite.create(app, { colorScheme, viewport: { width, height }, bypassCSP: true });
    const { page } = site;
    const user = await app.user();
    const check = async (state: string) =>
      expect([state, await site.problems(`${state}-${size}-${colorScheme}`)]).toEqual([state, []]);
    const answer = (path: string, json: object, status = 200) =>
      page.route(`**/v1/auth/${path}`, (route) => route.fulfill({ status, json }), { times: 1 });

    await page.route("**/v1/auth/link", () => {}, { times: 1 });
    await site.open("loading");
    await site.sees("One moment…");
    await check("loading");
    await page.goto("about:blank");

    await site.open("");
    await site.sees("There is no link here");
    await check("no-link");
    await site.open("not-a-link");
    await site.sees("This link no longer works");
    await check("invalid");
    await page.route("**/v1/auth/link", (route) => route.abort(), { times: 1 });
    await site.open("no-network");
    await site.sees("No connection");
    await check("no-network");

    await site.openMailTo(user);
    await site.sees("Sign in to Harbour Notes");
    await check("sign-in");
    await page.route("**/v1/auth/email/complete", (route) => route.abort(), { times: 1 });
    await site.press("Sign in");
    await page.getByRole("alert").filter({ hasText: "could not reach" }).waitFor();
    await check("sign-in-no-network");
    await site.press("Sign in");
    await site.sees("You are signed in");
    await check("sign-in-done");
    for (const { value } of await site.cookies()) app.secrets.add(value);
    await page.context().clearCookies();

    for (const [kind, path, before, button, after] of KINDS) {
      if (kind === "verify_email") {
        await site.openKind(kind, user);
        await site.sees("Confirm it where you asked for it");
        await check("verify_email-elsewhere");
        await page.goto("about:blank");
        await site.signIn(user);
      }
      await site.openKind(kind, kind === "sign_up" ? null : user);
      await site.sees(before);
      await check(kind);
      await answer(path, success);
      if (kind === "sign_up")
        await page.getByLabel("New password", { exact: true }).fill("five tame otters hum at dawn");
      await site.press(button);
      await site.sees(after);
      await check(`${kind}-done`);
    }

    await site.openKind("reset_password", user);
    await site.sees("Set a new password");
    await check("reset_password");
    await site.press("Set the password");
    await page.getByText("Enter a new password.").waitFor();
    const reason = "The password needs at least 15 characters. It has 5.";
    await answer("password/reset", refusal("invalid_input", [{ path: "new_password", reason }]), 400);
    await page.getByLabel("New password", { exact: true }).fill("short");
    await site.press("Show: New password");
    await site.press("Set the password");
    await page.getByText(reason).waitFor();
    await check("reset_password-problem");
    await answer("password/reset", success);
    await site.press("Set the password");
    await site.sees("Your new password is set");
    await check("reset_password-done");

    const ask = async (demand: object) => {
      await site.openMailTo(await app.user());
      await answer("email/complete", demand);
      await site.press("Sign in");
    };
    await ask(required(["totp", "recovery_code", "passkey"]));
    await site.sees("One more step");
    await check("second-factor");
    await answer("mfa/verify", refusal("invalid_code"), 401);
    await page.getByLabel("Code from your authenticator app").fill("123456");
    await site.press("Continue");
    await page.getByText("This code is wrong or was used before").waitFor();
    await check("second-factor-wrong");
    await site.press("Use a passkey instead");
    await page.getByRole("button", { name: "Continue with your passkey" }).waitFor();
    await check("second-factor-passkey");
    await site.press("Use a recovery code instead");
    await page.getByLabel("Recovery code").fill("abcd-efgh");
    await check("second-factor-recovery");
    for (let i = 0; i < 4; i++) {
      await answer("mfa/verify", refusal("invalid_code"), 401);
      await site.press("Continue");
      if (i < 3) await page.waitForSelector("button.primary:not([aria-disabled])");
    }
    await site.sees("Please start again");
    await check("second-factor-over");
    await ask(required([], true));
    await site.sees("A second factor is needed");
    await check("second-factor-setup");
    await ask(required(["carrier_pigeon"]));
    await site.sees("Your second factor is needed");
    await check("second-factor-elsewhere");
  });

  browserTest("German fits as well", async () => {
    await using site = await LinkSite.create(app, { locale: "de-DE", viewport: { width, height }, bypassCSP: true });
    const user = await app.user();
    const check = async (state: string) =>
      expect([state, await site.problems(`${state}-${size}-de`)]).toEqual([state, []]);
    for (const [kind, heading] of [
      ["undo_email_change", "Änderung der Adresse rückgängig machen"],
      ["sign_up", "Konto anlegen"],
      ["verify_email", "Bestätigen Sie dort, wo Sie angefragt haben"],
      ["verify_email", "Adresse bestätigen"],
    ] as const) {
      if (heading === "Adresse bestätigen") await site.signIn(user);
      await site.page.goto("about:blank");
      await site.openKind(kind, kind === "sign_up" ? null : user);
      await site.sees(heading);
      await check(heading);
    }
    await site.openKind("reset_password", user);
    const details = [{ path: "new_password", reason: "The password needs at least 15 characters. It has 5." }];
    const json = refusal("invalid_input", details);
    await site.page.route("**/v1/auth/password/reset", (route) => route.fulfill({ status: 400, json }), { times: 1 });
    await site.page.getByLabel("Neues Passwort", { exact: true }).fill("short");
    await site.press("Passwort setzen");
    await site.page.getByText("Das Passwort braucht mindestens 15 Zeichen. Es hat 5.").waitFor();
    await check("reset_password");
  });

  browserTest("text at twice its size and reduced motion: nothing is cut off (WCAG 1.4.4, 1.4.10)", async () => {
    await using site = await LinkSite.create(app, {
      viewport: { width: Math.round(width / 2), height },
      reducedMotion: "reduce",
      bypassCSP: true,
    });
    await site.openKind("reset_password", await app.user());
    await site.sees("Set a new password");
    expect(await site.problems(`reset_password-${size}-zoom`)).toEqual([]);
  });
});

describe("the password field", () => {
  browserTest(
    "works with password managers and pasting, and stays hidden until asked (ASVS 6.2.6, 6.2.7)",
    async () => {
      await using site = await LinkSite.create(app);
      await site.openKind("reset_password", await app.user());
      const field = site.page.getByLabel("New password", { exact: true });
      const attributes = () =>
        field.evaluate(({ type, autocomplete, maxLength }: HTMLInputElement) => [type, autocomplete, maxLength]);
      expect(await attributes()).toEqual(["password", "new-password", -1]);
      await site.press("Show: New password");
      expect((await attributes())[0]).toBe("text");
      await site.press("Hide: New password");
      expect((await attributes())[0]).toBe("password");
      const long = "four unrelated words make a better password ".repeat(3).trim();
      const sent = site.page.waitForRequest("**/v1/auth/password/reset");
      await site.page.route("**/v1/auth/password/reset", (route) => route.fulfill({ json: success }));
      await field.evaluate((input: HTMLInputElement, text) => {
        const data = new DataTransfer();
        data.setData("text/plain", text);
        const isTaken = input.dispatchEvent(
          new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }),
        );
        if (isTaken) input.value = text;
      }, long);
      await field.press("Enter");
      expect((await sent).postDataJSON().new_password).toBe(long);
      await site.sees("Your new password is set");
    },
  );

  browserTest("shows the problem at the field, focuses the field, and removes the problem again", async () => {
    await using site = await LinkSite.create(app);
    await site.openKind("reset_password", await app.user());
    await site.press("Set the password");
    const field = site.page.getByLabel("New password", { exact: true });
    expect(await field.getAttribute("aria-invalid")).toBe("true");
    const described = (await field.getAttribute("aria-describedby")) ?? "";
    expect(await site.page.locator(`#${described.split(" ")[0]}`).textContent()).toBe("Enter a new password.");
    expect(await site.page.evaluate(() => document.activeElement?.id)).toBe("new_password");
    await field.fill("something");
    await site.page.route("**/v1/auth/password/reset", (route) => route.abort());
    await site.press("Set the password");
    await site.page.getByRole("alert").filter({ hasText: "could not reach" }).waitFor();
    expect(await field.getAttribute("aria-invalid")).toBe("false");
    expect(await field.inputValue()).toBe("something");
    expect(site.requests.filter((request) => request.url().endsWith("/reset"))).toHaveLength(1);
  });
});
