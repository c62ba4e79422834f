import { fileURLToPath } from "node:url";
import type { BrowserContextOptions, Page } from "playwright-core";
import { launch } from "./chromium.ts";
import { type PageServer, servePage } from "./page-server.ts";
import { PASSWORD, pageData, type Stage } from "./stage.ts";

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export interface ReactSiteOptions extends BrowserContextOptions {
  /** The query of the page's address, which chooses the components. */
  search?: string;
}

/** The React page in its own browser profile. Its console lines and policy violations are complaints. */
export class ReactSite implements AsyncDisposable {
  /** Source files by path, in the order of the published stylesheet. */
  static readonly styles = {
    "/tokens.css": pathOf("../../../src/sdk/react/tokens.css"),
    "/tokens-fallback.css": pathOf("../../../src/sdk/react/tokens-fallback.gen.css"),
    "/components.css": pathOf("../../../src/sdk/react/components.css"),
    "/page.css": pathOf("./react-page.css"),
  };

  private constructor(
    readonly page: Page,
    readonly complaints: string[],
    private readonly stage: Stage,
    private readonly site: PageServer,
  ) {}

  static async open(stage: Stage, { search = "", ...options }: ReactSiteOptions = {}): Promise<ReactSite> {
    const { instance } = stage;
    const site = await servePage({
      entry: pathOf("./react-page.tsx"),
      styles: ReactSite.styles,
      data: pageData(instance),
      connect: [instance.url],
      api: (request) => stage.api(request),
    });
    await instance.change({ origins: [site.origin] });
    const context = await (await launch()).newContext({ reducedMotion: "reduce", ...options });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      // The browser's own line about a refused request.
      if (!message.text().startsWith("Failed to load resource")) complaints.push(message.text());
    });
    await page.goto(site.origin + search);
    await page.waitForFunction(() => document.querySelector("#status")?.textContent === "signed-out");
    return new ReactSite(page, complaints, stage, site);
  }

  get origin(): string {
    return this.site.origin;
  }

  /** Signs a user up, who has proven the address, in the account's own session. */
  async signUp(email: string, name?: string): Promise<void> {
    await this.signUpUnproven(email, name);
    await this.stage.instance.prove();
  }

  async signUpUnproven(email: string, name = "Ada Lovelace"): Promise<void> {
    const { page } = this;
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByLabel("Your name").fill(name);
    await page.getByLabel("Email address").fill(email);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Create account" }).click();
    await page.waitForSelector("#greeting");
  }

  /** Enters the first factor, and presses the button. */
  async enter(email: string, password = PASSWORD): Promise<void> {
    const { page } = this;
    await page.getByLabel("Email address").fill(email);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
  }

  async signOut(): Promise<void> {
    const { page } = this;
    await page.getByRole("button", { name: /Account of/ }).click();
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
  }

  /**
   * Like {@link signOut}, for a browser with a passkey: leaves the form's suggestion unanswered, and agrees to the next
   * request. (The virtual authenticator agrees to a request as it begins, or never.)
   */
  async signOutUnprompted(authenticator: { agree(enabled: boolean): Promise<void> }): Promise<void> {
    await authenticator.agree(false);
    await this.page.evaluate(() => {
      const { credentials } = navigator;
      const get = credentials.get.bind(credentials);
      credentials.get = (options) => {
        document.documentElement.dataset.asked = "yes";
        return get(options);
      };
    });
    await this.signOut();
    await this.page.waitForSelector("html[data-asked]");
    await authenticator.agree(true);
  }

  async openAccount(): Promise<void> {
    const { page } = this;
    await page.getByRole("button", { name: /Account of/ }).click();
    await page.getByRole("button", { name: "Manage account" }).click();
    await page.getByRole("heading", { name: "Delete account" }).waitFor();
  }

  section(name: string) {
    return this.page.getByRole("region", { name, exact: true });
  }

  /** Returns the newest mail's code, once the form asks for it. */
  async code(email: string): Promise<string> {
    await this.page.getByLabel("Code from the mail").waitFor();
    const { code } = await this.stage.instance.mail(email);
    if (code === null) throw new Error(`the mail to ${email} has no code`);
    return code;
  }

  /** Answers the dialog that asks for the proof of the address. */
  async confirm(email: string): Promise<void> {
    const dialog = this.page.getByRole("dialog");
    await dialog.getByText("First confirm your email address").waitFor();
    await dialog.getByLabel("Code from the mail").fill(await this.code(email));
    await dialog.getByRole("button", { name: "Confirm", exact: true }).click();
  }

  /** Adds a platform authenticator that the browser accepts as real. `agree` sets whether its user agrees at once. */
  async addAuthenticator(): Promise<{ agree(enabled: boolean): Promise<void> }> {
    const session = await this.page.context().newCDPSession(this.page);
    await session.send("WebAuthn.enable");
    const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return {
      async agree(enabled) {
        await session.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled });
      },
    };
  }

  focused(): Promise<string> {
    return this.page.evaluate(() => {
      const { activeElement: element } = document;
      return (element?.getAttribute("name") ?? element?.textContent ?? "").trim();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
    await this.site[Symbol.asyncDispose]();
  }
}
