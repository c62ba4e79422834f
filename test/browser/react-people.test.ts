import { describe, expect } from "bun:test";
import { totp } from "../support/totp.ts";
import { browserTest } from "./support/chromium.ts";
import { addTotp, keepCodes } from "./support/factors.ts";
import { ReactSite } from "./support/react-site.ts";
import { PASSWORD, setUpStage } from "./support/stage.ts";

const stage = setUpStage();

let people = 0;
const newEmail = () => `people-${++people}@example.com`;

describe("without a password", () => {
  browserTest("the mail's code completes a sign-up", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    await stage.instance.change({ sign_up: "verified" });
    const email = newEmail();
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByLabel("Your name").fill("Grace Hopper");
    await page.getByLabel("Email address", { exact: true }).fill(email);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByRole("heading", { name: "Check your mail" }).waitFor();
    expect(await site.focused()).toBe("code");
    await page.getByLabel("Code from the mail").fill("0000 0000");
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByRole("link", { name: /The code is wrong/ }).waitFor();
    const first = await site.code(email);
    await page.getByRole("button", { name: "Send another mail" }).click();
    await page.getByText("Another mail is on its way").waitFor();
    const second = await site.code(email);
    expect(second).not.toBe(first);
    await page.getByLabel("Code from the mail").fill(` ${second} `);
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByText("Hello, Grace Hopper").waitFor();
    expect(site.complaints).toEqual([]);
  });

  browserTest("a mailed code signs in, and the answer does not reveal who has an account", async () => {
    await using site = await ReactSite.open(stage, { search: "?methods=password,email_code,magic_link" });
    const { page } = site;
    await stage.instance.change({ sign_in_methods: ["password", "passkey", "email_code", "magic_link"] });
    const email = newEmail();
    await site.signUp(email);
    await site.signOut();
    await page.getByRole("button", { name: "Email me a sign-in code" }).click();
    await page.getByRole("link", { name: "Enter your email address." }).waitFor();
    await page.getByLabel("Email address", { exact: true }).fill("nobody@example.com");
    await page.getByRole("button", { name: "Email me a sign-in code" }).click();
    await page.getByText("If there is an account for nobody@example.com").waitFor();
    await page.getByRole("button", { name: "Use another address" }).click();
    expect(await page.getByLabel("Email address", { exact: true }).inputValue()).toBe("nobody@example.com");
    await page.getByLabel("Email address", { exact: true }).fill(email);
    await page.getByRole("button", { name: "Email me a sign-in link" }).click();
    await page.getByText(`If there is an account for ${email}`).waitFor();
    await page.getByLabel("Code from the mail").fill(await site.code(email));
    await page.keyboard.press("Enter");
    await page.waitForSelector("#greeting");
    expect(site.complaints).toEqual([]);
  });

  browserTest("a forgotten password is replaced, and the old one no longer works", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    const email = newEmail();
    const password = "another horse, another battery";
    await site.signUp(email);
    await site.signOut();
    await page.getByLabel("Email address", { exact: true }).fill(email);
    await page.getByRole("button", { name: "Forgot your password?" }).click();
    expect(await page.getByLabel("Email address", { exact: true }).inputValue()).toBe(email);
    await page.getByRole("button", { name: "Send the mail" }).click();
    await page.getByLabel("Code from the mail").fill(await site.code(email));
    await page.getByLabel("New password", { exact: true }).fill("short");
    await page.getByRole("button", { name: "Set new password" }).click();
    await page.locator(".sallyport-field-problem").waitFor();
    await page.getByLabel("New password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Set new password" }).click();
    await page.getByRole("heading", { name: "Your password is set" }).waitFor();
    await page.getByRole("button", { name: "Back to sign-in" }).click();
    await site.enter(email);
    await page.getByText("Wrong password, or no account").first().waitFor();
    await site.enter(email, password);
    await page.waitForSelector("#greeting");
    expect(site.complaints).toEqual([]);
  });
});

describe("a second factor", () => {
  browserTest("is set up, requested, and replaced by a recovery code", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    const email = newEmail();
    await site.signUpUnproven(email);
    await site.openAccount();
    // The dialog first asks for the code from the mail of the sign-up, and then goes on.
    const { secret, codes } = await addTotp(stage, site, () => site.confirm(email));
    expect(await page.evaluate(() => window.sallyport.session.state.user?.email_verified)).toBe(true);
    expect(new Set(codes).size).toBe(10);
    await page.getByText("10 recovery codes left.").waitFor();
    await site.signOut();

    await site.enter(email);
    await page.getByRole("heading", { name: "Confirm that it is you" }).waitFor();
    expect(await site.focused()).toBe("code");
    const field = page.getByLabel("Code from your authenticator app");
    expect(await field.getAttribute("autocomplete")).toBe("one-time-code");
    expect(await field.getAttribute("inputmode")).toBe("numeric");
    expect(await page.textContent("#status")).toBe("signed-out");
    const code = totp(secret, stage.instance.now());
    await field.fill(`${code.slice(0, 3)} ${code.slice(3)}`);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#greeting");
    await site.signOut();

    await site.enter(email);
    await page.getByRole("button", { name: "Use a recovery code" }).click();
    await page.getByLabel("Recovery code").fill(codes[3]?.toUpperCase() ?? "");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#greeting");
    await site.openAccount();
    await page.getByText("9 recovery codes left.").waitFor();
    expect(site.complaints).toEqual([]);
  });

  browserTest("that is guessed too often returns the user to the first factor", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    const email = newEmail();
    await site.signUp(email);
    await site.openAccount();
    const { secret } = await addTotp(stage, site);
    await site.signOut();
    await site.enter(email);
    // The code of another day, so not a code that is valid around now.
    const wrong = totp(secret, stage.instance.now() - 86_400_000);
    for (let i = 0; i < 4; i++) {
      await page.getByLabel("Code from your authenticator app").fill(wrong);
      await page.keyboard.press("Enter");
      await page.getByRole("link", { name: /The code is wrong/ }).waitFor();
      await page.waitForFunction(() => document.querySelector("form")?.getAttribute("aria-busy") === "false");
    }
    await page.getByLabel("Code from your authenticator app").fill(wrong);
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "Start again" }).waitFor();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });

  browserTest(
    "that the application requires is set up at sign-in, and its recovery codes outlive the form",
    async () => {
      await using site = await ReactSite.open(stage);
      const { page } = site;
      const email = newEmail();
      await site.signUp(email);
      await site.signOut();
      await stage.instance.change({ mfa: "required", mfa_grace: 0 });
      // A sign-in counts whole seconds, so the grace is not over yet in the second of the change.
      stage.instance.ahead += 1_000;
      await site.enter(email);
      await page.getByRole("heading", { name: "Set up an authenticator app" }).waitFor();
      const secret = (await page.locator(".sallyport-secret").textContent())?.replaceAll(" ", "") ?? "";
      expect(await page.getByRole("img", { name: "QR code" }).locator("path").count()).toBeGreaterThan(0);
      await page.getByLabel("Code from your authenticator app").fill(totp(secret, stage.instance.now()));
      await page.getByRole("button", { name: "Turn on" }).click();
      await page.waitForSelector("#greeting");
      expect(await keepCodes(site)).toHaveLength(10);
      expect(site.complaints).toEqual([]);
    },
  );

  browserTest("is not requested on a trusted device", async () => {
    await using site = await ReactSite.open(stage, { search: "?remember" });
    const { page } = site;
    await stage.instance.change({ mfa_remember: 86_400 });
    const email = newEmail();
    await site.signUp(email);
    await site.openAccount();
    const { secret } = await addTotp(stage, site);
    await site.signOut();
    await site.enter(email);
    await page.getByLabel("Do not ask again on this device").check();
    await page.getByLabel("Code from your authenticator app").fill(totp(secret, stage.instance.now()));
    await page.keyboard.press("Enter");
    await page.waitForSelector("#greeting");
    await site.signOut();
    await site.enter(email);
    await page.waitForSelector("#greeting");
    await site.openAccount();
    const devices = site.section("Trusted devices");
    await devices.getByRole("button", { name: /^Remove/ }).click();
    await devices.getByRole("button", { name: "Remove", exact: true }).click();
    await devices.getByText("You have no trusted devices.").waitFor();
  });
});

describe("a passkey", () => {
  browserTest("is added, named, signs in alone, and is removed", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    const authenticator = await site.addAuthenticator();
    await site.signUp(newEmail());
    await site.openAccount();
    const section = site.section("Passkeys");
    await section.getByText("You have no passkeys yet.").waitFor();
    await section.getByRole("button", { name: "Add a passkey" }).click();
    await section.getByText("The passkey is added.").waitFor();
    await section.getByRole("button", { name: /^Rename/ }).click();
    await section.getByLabel("Name of the passkey").fill("My laptop");
    await page.keyboard.press("Enter");
    await section.getByText("My laptop").waitFor();
    await site.signOutUnprompted(authenticator);
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.waitForSelector("#greeting");
    const claims = await page.evaluate(() => window.sallyport.session.state.session);
    expect(claims).toMatchObject({ aal: "aal2", auth_method: "passkey" });
    await site.openAccount();
    await section.getByRole("button", { name: "Remove My laptop" }).click();
    await section.getByRole("button", { name: "Remove", exact: true }).click();
    await section.getByText("You have no passkeys yet.").waitFor();
    expect(await site.focused()).toBe("Passkeys");
    expect(site.complaints).toEqual([]);
  });

  browserTest("is offered among the address's suggestions", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    await site.addAuthenticator();
    await site.signUp(newEmail());
    await site.openAccount();
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByText("The passkey is added.").waitFor();
    await page.evaluate(() => window.sallyport.session.signOut());
    // No click: the virtual authenticator accepts the suggestion at once.
    await page.waitForFunction(() => window.sallyport.session.state.session?.auth_method === "passkey");
    expect(site.complaints).toEqual([]);
  });

  browserTest("that is declined or already present gives a message", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    await page.evaluate(() => {
      navigator.credentials.get = () => Promise.reject(new DOMException("no", "NotAllowedError"));
      navigator.credentials.create = () => Promise.reject(new DOMException("no", "InvalidStateError"));
    });
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("alert").filter({ hasText: "No passkey was used." }).waitFor();
    await site.signUp(newEmail());
    await site.openAccount();
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByRole("alert").filter({ hasText: "already has a passkey for your account" }).waitFor();
    expect(site.complaints).toEqual([]);
  });

  browserTest("is the second factor of a password", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    const authenticator = await site.addAuthenticator();
    const email = newEmail();
    await site.signUp(email);
    await site.openAccount();
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByText("The passkey is added.").waitFor();
    await site.signOutUnprompted(authenticator);
    await site.enter(email);
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.waitForSelector("#greeting");
    expect(await page.evaluate(() => window.sallyport.session.state.session?.amr)).toContain("mfa");
  });

  browserTest("that is lost is replaced by a recovery code (ASVS 6.4.4)", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    const authenticator = await site.addAuthenticator();
    const email = newEmail();
    await site.signUp(email);
    await site.openAccount();
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByText("The passkey is added.").waitFor();
    await page.getByText("You have no recovery codes.").waitFor();
    await page.getByRole("button", { name: "Make recovery codes" }).click();
    const confirm = page.getByRole("dialog", { name: "Confirm that it is you" });
    await confirm.getByRole("button", { name: "Use a passkey" }).click();
    const codes = await keepCodes(site);
    await page.getByText("10 recovery codes left.").waitFor();
    await site.signOutUnprompted(authenticator);
    await site.enter(email);
    await page.getByRole("button", { name: "Use a recovery code" }).click();
    await page.getByLabel("Recovery code").fill(codes[0] ?? "");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#greeting");
    expect(site.complaints).toEqual([]);
  });
});

describe("the account", () => {
  browserTest("changes name, password and addresses", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    const [email, other] = [newEmail(), newEmail()];
    await site.signUpUnproven(email);
    await site.openAccount();
    await page.getByLabel("Your name").fill("Countess Lovelace");
    await site.section("Profile").getByRole("button", { name: "Save" }).click();
    await page.getByText("Hello, Countess Lovelace").waitFor();

    const password = site.section("Password");
    await password.getByRole("button", { name: "Change password" }).click();
    expect(await site.focused()).toBe("current_password");
    await password.getByLabel("Current password", { exact: true }).fill("not this one");
    await password.getByLabel("New password", { exact: true }).fill("another horse, another battery");
    await page.keyboard.press("Enter");
    await password.getByRole("link", { name: "That is not your password." }).waitFor();
    await password.getByLabel("Current password", { exact: true }).fill(PASSWORD);
    await page.keyboard.press("Enter");
    await password.getByText("Your password is changed.").waitFor();

    const addresses = site.section("Email addresses");
    await addresses.getByRole("button", { name: `Verify ${email}` }).click();
    await addresses.getByLabel("Code from the mail").fill(await site.code(email));
    await addresses.getByRole("button", { name: "Confirm" }).click();
    await addresses.getByText("Not verified").waitFor({ state: "detached" });
    await addresses.getByLabel("Another email address").fill(other);
    await addresses.getByRole("button", { name: "Add address" }).click();
    await addresses.getByLabel("Code from the mail").fill(await site.code(other));
    await addresses.getByRole("button", { name: "Confirm" }).click();
    await addresses.getByRole("button", { name: `Make primary: ${other}` }).click();
    await page.waitForFunction((address) => window.sallyport.session.state.user?.email === address, other);
    await addresses.getByRole("button", { name: `Remove ${email}` }).click();
    await addresses.getByRole("button", { name: "Cancel" }).click();
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe(`Remove ${email}`);
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await addresses.getByText(email, { exact: true }).waitFor({ state: "detached" });
    expect(site.complaints).toEqual([]);
  });

  browserTest("shows where its owner is signed in, and ends one session or all others", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    const email = newEmail();
    await site.signUp(email);
    const elsewhere = async () => {
      const { url, applicationId } = stage.instance;
      const headers = { "content-type": "application/json", "x-application-id": applicationId };
      const body = JSON.stringify({ email, password: PASSWORD });
      expect((await fetch(`${url}/v1/auth/login`, { method: "POST", headers, body })).status).toBe(200);
    };
    for (let i = 0; i < 3; i++) await elsewhere();
    await site.openAccount();
    const sessions = site.section("Where you are signed in");
    await sessions.getByText("This device").waitFor();
    const entries = sessions.getByRole("listitem");
    expect(await entries.count()).toBe(4);
    await sessions
      .getByRole("button", { name: /^Sign out (?!everywhere)/ })
      .first()
      .click();
    await page.waitForFunction(() => document.querySelectorAll(".sallyport-section li").length < 5);
    await sessions.getByRole("button", { name: "Sign out everywhere else" }).click();
    await sessions.getByRole("button", { name: "Sign out", exact: true }).last().click();
    await sessions.getByText("2 other devices were signed out.").waitFor();
    expect(await entries.count()).toBe(1);
    expect(await page.textContent("#status")).toBe("signed-in");
  });

  browserTest("is downloaded, and deleted once its owner is sure", async () => {
    await using site = await ReactSite.open(stage);
    const { page } = site;
    const email = newEmail();
    await site.signUp(email);
    await site.openAccount();
    const arriving = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download my data" }).click();
    const download = await arriving;
    expect(await Bun.file(await download.path()).text()).toContain(email);
    await page.getByRole("button", { name: "Delete my account" }).click();
    const dialog = page.getByRole("dialog", { name: "Delete account" });
    await dialog.getByRole("button", { name: "Delete my account" }).click();
    await dialog.getByRole("alert").filter({ hasText: "Tick the box first." }).waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Delete my account" }).click();
    await dialog.getByLabel("I understand").check();
    await dialog.getByRole("button", { name: "Delete my account" }).click();
    await page.waitForFunction(() => document.querySelector("#status")?.textContent === "signed-out");
    await site.enter(email);
    await page.getByText("Wrong password, or no account").first().waitFor();
    expect(site.complaints).toEqual([]);
  });
});
