import { afterAll, beforeAll, describe, expect, setDefaultTimeout } from "bun:test";
import axe from "axe-core";
import type { BrowserContextOptions, Page } from "playwright-core";
import { type Running, start, tidy } from "../support/cli.ts";
import { browserTest, closeBrowser, launch } from "./support/chromium.ts";
import { VirtualAuthenticator } from "./support/virtual-authenticator.ts";

setDefaultTimeout(90_000);

const SHOTS = process.env.SALLYPORT_SCREENSHOTS;
const PASSWORD = "five tame otters hum at dawn";
const WIDTHS = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } };

let dev: Running;
beforeAll(async () => {
  dev = await start(["dev", "--ephemeral", "--port", "0", "--json"]);
});
afterAll(async () => {
  await closeBrowser();
  await tidy();
});

/** /try in its own profile. A line in the console or a violation of its policy is a failure. */
class TryPage implements AsyncDisposable {
  readonly complaints: string[] = [];

  private constructor(
    readonly page: Page,
    readonly authenticator: VirtualAuthenticator,
    private readonly name: string,
  ) {
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      // The browser's own line about a refused request.
      if (!message.text().startsWith("Failed to load resource")) this.complaints.push(message.text());
    });
  }

  static async open(name: string, options: BrowserContextOptions = {}): Promise<TryPage> {
    const context = await (await launch()).newContext({ reducedMotion: "reduce", locale: "en-GB", ...options });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    const authenticator = await VirtualAuthenticator.plugInto(page);
    const opened = new TryPage(page, authenticator, name);
    await page.goto(`${dev.url}/try`);
    await page.getByRole("button", { name: "Create account" }).waitFor();
    return opened;
  }

  press(name: string): Promise<void> {
    return this.page.getByRole("button", { name, exact: true }).click();
  }

  async signUp(email: string): Promise<void> {
    await this.page.getByLabel("Email address").fill(email);
    await this.page.getByRole("textbox", { name: "Password", exact: true }).fill(PASSWORD);
    await this.press("Create account");
    await this.page.getByRole("heading", { name: `${email} is signed in` }).waitFor();
  }

  /** Requests the mail that verifies the address, and puts its code into the form. */
  async confirmAddress(email: string): Promise<void> {
    const mails = this.page.locator(".mails");
    // The sign-up has sent a mail of its own. The next one replaces its code.
    await mails.locator("p.small").getByText(`To ${email}`).waitFor();
    const before = (await mails.locator("h2 .number").textContent()) ?? "";
    await this.press("Confirm your address");
    await this.press(`Verify ${email}`);
    await this.page.getByLabel("Code from the mail").waitFor();
    await mails
      .locator("h2 .number")
      .filter({ hasNotText: new RegExp(`^${before}$`) })
      .waitFor();
    await this.press("Put it in the form");
    expect(await this.page.getByLabel("Code from the mail").inputValue()).toMatch(/^\d{8}$/);
  }

  /** @param prove answers the dialog that asks for the passkey first, if the account has one */
  async turnSecondFactorOn(prove: () => Promise<void>, look: () => Promise<void>): Promise<string> {
    const { page } = this;
    await this.press("Second factor");
    await this.press("Set up an authenticator app");
    await prove();
    await page.locator(".sallyport-secret").waitFor();
    const app = page.getByRole("dialog").locator(".authenticator");
    await app.waitFor();
    await look();
    const code = (await app.locator(".code").textContent()) ?? "";
    await app.getByRole("button", { name: "Put it in the form" }).click();
    await this.press("Turn on");
    await page.getByLabel("I have kept these codes").check();
    await this.press("Done");
    await page.getByText("Authenticator app: on since").waitFor();
    return code;
  }

  /** Returns the names of the list's completed steps. */
  done(): Promise<string[]> {
    return this.page.locator(".checklist .done strong").allTextContents();
  }

  async look(state: string): Promise<void> {
    const { page } = this;
    if (SHOTS) await page.screenshot({ path: `${SHOTS}/try-${state}-${this.name}.png`, fullPage: true });
    await page.evaluate(axe.source);
    const found = await page.evaluate(async () => {
      const { axe: onPage } = window as unknown as { axe: typeof axe };
      return (await onPage.run()).violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`,
      );
    });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect([state, overflow, found]).toEqual([state, 0, []]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}

let people = 0;

for (const colorScheme of ["light", "dark"] as const) {
  for (const [width, viewport] of Object.entries(WIDTHS)) {
    const name = `${width}-${colorScheme}`;
    browserTest(`${name}: a password, a mailed code, a passkey and a second factor work within a minute`, async () => {
      await using tried = await TryPage.open(name, { colorScheme, viewport, bypassCSP: true });
      const { page } = tried;
      const email = `ada-${++people}@example.com`;
      await tried.look("start");
      await tried.signUp(email);
      expect(await tried.done()).toEqual([expect.stringContaining("Password")]);
      await tried.look("signed-in");

      await tried.confirmAddress(email);
      await tried.look("code");
      await tried.press("Confirm");
      await page.getByLabel("Another email address").waitFor();
      expect(await tried.done()).toHaveLength(2);
      await tried.press("Back to the session");

      await tried.press("Add a passkey");
      await page.getByRole("region", { name: "Passkeys" }).getByRole("button", { name: "Add a passkey" }).click();
      await page.getByText("The passkey is added.").waitFor();
      expect(await tried.done()).toHaveLength(3);
      await tried.press("Back to the session");

      await tried.turnSecondFactorOn(
        () => page.getByRole("dialog").getByRole("button", { name: "Use a passkey" }).click(),
        () => tried.look("set-up"),
      );
      expect(await tried.done()).toHaveLength(4);
      await page.getByRole("heading", { name: "All four work" }).waitFor();
      await tried.press("Back to the session");
      await tried.look("all");
      expect(await page.locator(".requests .refused").count()).toBeLessThan(4);

      await tried.press("Sign out");
      await page.getByText("Already have an account?").waitFor();
      expect(tried.complaints).toEqual([]);
    });
  }
}

describe("the page", () => {
  browserTest("signs in with a second factor from its own app, even after a reload", async () => {
    await using tried = await TryPage.open("second-factor", { bypassCSP: true });
    const { page } = tried;
    const email = `grace-${++people}@example.com`;
    await tried.signUp(email);
    await tried.confirmAddress(email);
    await tried.press("Confirm");
    await page.getByLabel("Another email address").waitFor();
    await tried.press("Back to the session");
    const first = await tried.turnSecondFactorOn(
      async () => {},
      async () => {},
    );
    await tried.press("Back to the session");
    await tried.press("Sign out");
    // A reload before the answer would still find the cookie.
    await page.getByText("Already have an account?").waitFor();
    await page.reload();
    await tried.press("Sign in");
    await page.getByLabel("Email address").fill(email);
    await page.getByRole("textbox", { name: "Password", exact: true }).fill(PASSWORD);
    await page.locator(".stage form button[type=submit]").first().click();
    await page.getByLabel("Code from your authenticator app").waitFor();
    await tried.look("asked");
    // A code works once, so wait for the next.
    await page.waitForFunction((used) => document.querySelector(".authenticator .code")?.textContent !== used, first, {
      timeout: 40_000,
    });
    await page.locator(".authenticator").getByRole("button", { name: "Put it in the form" }).click();
    await page.locator(".stage form button[type=submit]").first().click();
    await page.getByText("two factors").waitFor();
    expect(tried.complaints).toEqual([]);
  });

  browserTest("shows the form that its checkboxes choose, and the line of code for it", async () => {
    await using tried = await TryPage.open("offers", { viewport: WIDTHS.desktop, bypassCSP: true });
    const { page } = tried;
    await tried.press("Sign in");
    await page.getByRole("button", { name: "Email me a sign-in code" }).waitFor();
    await page.getByLabel("Code by mail").uncheck();
    await page.getByLabel("Link by mail").check();
    await page.getByRole("button", { name: "Email me a sign-in link" }).waitFor();
    expect(await page.getByRole("button", { name: "Email me a sign-in code" }).count()).toBe(0);
    expect(await page.locator(".source").textContent()).toBe(
      '<SignIn methods={["password","passkey","magic_link"]} />',
    );
    await tried.look("offers");
  });

  browserTest("runs under a policy without inline code, other origins or HTML from strings (ASVS 3.4.3)", async () => {
    const { headers } = await fetch(`${dev.url}/try`);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toContain("unsafe");
    // With the policy in force, as for users. The other tests bypass it for axe.
    await using tried = await TryPage.open("policy");
    await tried.signUp(`alan-${++people}@example.com`);
    expect(tried.complaints).toEqual([]);
  });
});
