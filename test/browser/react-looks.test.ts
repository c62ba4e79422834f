import { describe, expect } from "bun:test";
import axe from "axe-core";
import { totp } from "../support/totp.ts";
import { browserTest } from "./support/chromium.ts";
import { ReactSite, type ReactSiteOptions } from "./support/react-site.ts";
import { PASSWORD, setUpStage } from "./support/stage.ts";

/** Every component in every state, at two widths and in both schemes; SALLYPORT_SCREENSHOTS names a folder for pictures. */
const SHOTS = process.env.SALLYPORT_SCREENSHOTS;
const stage = setUpStage();

let people = 0;
const newEmail = () => `looks-${++people}@example.com`;

async function look(options: ReactSiteOptions, size: string) {
  const site = await ReactSite.open(stage, { bypassCSP: true, ...options });
  const { page } = site;
  await page.addScriptTag({ content: axe.source });
  const check = async (state: string) => {
    if (SHOTS) {
      const path = `${SHOTS}/${state}-${size}-${options.colorScheme}.png`;
      await page.screenshot({ path, fullPage: (await page.getByRole("dialog").count()) === 0 });
    }
    const found = await page.evaluate(async () => {
      const { axe: onPage } = window as unknown as { axe: typeof axe };
      const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
      const { violations } = await onPage.run({ runOnly: tags });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
    });
    expect(found).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  };
  return { site, page, check };
}

const sizes = [
  ["narrow", 375],
  ["wide", 1280],
] as const;
const schemes = ["light", "dark"] as const;
const table = sizes.flatMap(([size, width]) => schemes.map((colorScheme) => ({ size, width, colorScheme })));

describe.each(table)("$size, $colorScheme: axe finds nothing", ({ size, width, colorScheme }) => {
  const options = { colorScheme, viewport: { width, height: 812 } };

  browserTest("in the sign-in forms", async () => {
    await stage.instance.change({
      sign_up: "verified",
      sign_in_methods: ["password", "passkey", "magic_link", "email_code"],
    });
    const search = "?methods=password,passkey,magic_link,email_code";
    const { site, page, check } = await look({ ...options, search }, size);
    await using _ = site;
    await check("ways-in");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await check("ways-in-problems");
    await page.getByLabel("Email address", { exact: true }).fill(newEmail());
    await page.getByRole("button", { name: "Email me a sign-in code" }).click();
    await page.getByLabel("Code from the mail").waitFor();
    await check("mail-code");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await check("mail-code-problem");
    await page.getByRole("button", { name: "Use another address" }).click();
    await page.getByRole("button", { name: "Forgot your password?" }).click();
    await check("forgot");
    await page.getByRole("button", { name: "Send the mail" }).click();
    await page.getByLabel("New password", { exact: true }).waitFor();
    await check("reset");
    await page.getByRole("button", { name: "Back to sign-in" }).click();
    await page.getByRole("button", { name: "Create account" }).click();
    await check("sign-up-form");
    await page.getByLabel("Email address", { exact: true }).fill(newEmail());
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByLabel("Code from the mail").waitFor();
    await check("sign-up-code");
  });

  browserTest("in second factors and the account", async () => {
    await stage.instance.change({ mfa_remember: 86_400 });
    const { site, page, check } = await look({ ...options, search: "?remember" }, size);
    await using _ = site;
    const authenticator = await site.addAuthenticator();
    const email = newEmail();
    await site.signUp(email, "Ada Lovelace");
    await page.getByRole("button", { name: /Account of/ }).click();
    await check("user-button-account");
    await page.keyboard.press("Escape");
    await site.openAccount();
    await page.getByText("You have no passkeys yet.").waitFor();
    await check("account-new");
    await page.getByRole("button", { name: "Set up an authenticator app" }).click();
    await page.locator(".sallyport-secret").waitFor();
    await check("setup-dialog");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Set up an authenticator app" }).click();
    const secret = (await page.locator(".sallyport-secret").textContent())?.replaceAll(" ", "") ?? "";
    await page.getByLabel("Code from your authenticator app").fill(totp(secret, stage.instance.now()));
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Keep your recovery codes" }).waitFor();
    await check("recovery-codes");
    await page.getByRole("button", { name: "Done" }).click();
    await check("recovery-codes-problem");
    await page.getByLabel("I have kept these codes").check();
    await page.getByRole("button", { name: "Done" }).click();
    stage.instance.ahead += 30_000;
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByText("The passkey is added.").waitFor();
    await page.getByLabel("Another email address").fill(newEmail());
    await page.getByRole("button", { name: "Add address" }).click();
    await page.getByLabel("Code from the mail").waitFor();
    await page.getByRole("button", { name: "Change password" }).click();
    await page
      .getByRole("button", { name: /^Remove/ })
      .first()
      .click();
    await check("account-busy");
    await page.getByRole("button", { name: "Delete my account" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete my account" }).click();
    await check("delete-dialog");
    await page.keyboard.press("Escape");
    await authenticator.agree(false);
    await site.signOut();
    await site.enter(email);
    await page.getByRole("button", { name: "Use a recovery code" }).waitFor();
    await check("second-factor-passkey");
    await page.getByRole("button", { name: "Use your authenticator app" }).click();
    await check("second-factor-totp");
    await page.getByRole("button", { name: "Confirm" }).click();
    await check("second-factor-problem");
    await page.getByRole("button", { name: "Use a recovery code" }).click();
    await check("second-factor-recovery");
    await page.getByRole("button", { name: "Use your authenticator app" }).click();
    await page.getByLabel("Do not ask again on this device").check();
    await page.getByLabel("Code from your authenticator app").fill(totp(secret, stage.instance.now()));
    await page.keyboard.press("Enter");
    await page.waitForSelector("#greeting");
    await site.openAccount();
    await page.getByText("This device").waitFor();
    await site.section("Trusted devices").getByRole("listitem").waitFor();
    await site.section("Passkeys").getByRole("listitem").waitFor();
    await check("account-full");
    stage.instance.ahead += 20 * 60_000;
    await page.getByRole("button", { name: "Turn off" }).click();
    await page.getByRole("button", { name: "Turn off" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Use your authenticator app" }).click();
    await check("step-up");
  });

  browserTest("in German, in a required set-up and a step-up by password", async () => {
    const { site, page, check } = await look({ ...options, search: "?lang=de" }, size);
    await using _ = site;
    const email = newEmail();
    await check("german");
    await page.evaluate((input) => window.sallyport.session.signUp(input).then(() => {}), {
      email,
      password: PASSWORD,
    });
    await page.getByRole("button", { name: /Konto von/ }).click();
    await page.getByRole("button", { name: "Konto verwalten" }).click();
    await page.getByText("Sie haben noch keine Passkeys.").waitFor();
    await check("german-account");
    await page.getByRole("button", { name: "Passkey hinzufügen" }).click();
    await page.getByRole("dialog").getByLabel("Code aus der E-Mail").waitFor();
    await check("german-confirm-for-passkey");
    await page.keyboard.press("Escape");
    stage.instance.ahead += 20 * 60_000;
    await page.getByRole("button", { name: "Passkey hinzufügen" }).click();
    await page.getByRole("dialog").getByLabel("Passwort", { exact: true }).waitFor();
    await check("german-step-up");
    await page.keyboard.press("Escape");
    await page.evaluate(() => window.sallyport.session.signOut());
    await stage.instance.change({ mfa: "required", mfa_grace: 0 });
    // A sign-in counts whole seconds, so the grace is not over yet in the second of the change.
    stage.instance.ahead += 1_000;
    await page.getByRole("heading", { name: "Anmelden" }).waitFor();
    await page.getByLabel("E-Mail-Adresse").fill(email);
    await page.getByLabel("Passwort", { exact: true }).fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByText("Bestätigen Sie zuerst Ihre E-Mail-Adresse").waitFor();
    await check("german-confirm");
    await page.getByLabel("Code aus der E-Mail").fill((await stage.instance.mail(email)).code ?? "");
    await page.keyboard.press("Enter");
    await page.locator(".sallyport-secret").waitFor();
    await check("german-setup");
  });
});
