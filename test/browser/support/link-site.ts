import axe from "axe-core";
import type { BrowserContextOptions, Page, Request } from "playwright-core";
import type { ProofKind } from "../../../src/identity/email-proofs/proofs.ts";
import { startApp, type TestApp, type TestUser } from "../../support/app.ts";
import { allowMail, mailedLink } from "../../support/mailed-links.ts";
import { launch } from "./chromium.ts";

const SHOTS = process.env.SALLYPORT_SCREENSHOTS;
const ROOMY = { limit_mail_network: "100000/1h", limit_network: "100000/1h", log_level: "debug" };

/** The real appliance, whose applications sign users in by mail. At debug level, its log has every request. */
export async function startLinkApp(): Promise<TestApp> {
  const app = await startApp({ settings: ROOMY });
  await allowMail(app);
  await setApplication(app, { name: "Harbour Notes", home_url: `${app.publicUrl}/healthz` });
  return app;
}

export async function setApplication(
  app: TestApp,
  changes: { name?: string; home_url?: string | null; mfa?: "off" | "optional" | "required" },
): Promise<void> {
  await app.storage.write(async (tx) => {
    await tx.kysely.updateTable("applications").set(changes).execute();
  });
  app.forget();
}

/** A mailed link's page in its own browser profile. A line in the console or a violation of its policy is a complaint. */
export class LinkSite implements AsyncDisposable {
  readonly complaints: string[] = [];
  readonly requests: Request[] = [];

  private constructor(
    readonly app: TestApp,
    readonly page: Page,
  ) {
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("request", (request) => this.requests.push(request));
    page.on("console", (message) => {
      // The browser's own line about a refused request.
      if (!message.text().startsWith("Failed to load resource")) this.complaints.push(message.text());
    });
  }

  static async create(app: TestApp, options: BrowserContextOptions = {}): Promise<LinkSite> {
    const context = await (await launch()).newContext({ locale: "en-GB", ...options });
    context.setDefaultTimeout(15_000);
    return new LinkSite(app, await context.newPage());
  }

  /** Opens a link as a mail program does. @param path the page's path */
  async open(token: string, path = "/link"): Promise<void> {
    await this.page.goto(`${this.app.publicUrl}${path}${token === "" ? "" : `#${token}`}`);
  }

  /** Requests a mail in this browser, which then may use its link. */
  async ask(
    email: string,
    { headers = {}, prefix = "" }: { headers?: Record<string, string>; prefix?: string } = {},
  ): Promise<{ flowId: string; link: string; url: string; code: string }> {
    const { request } = this.page.context();
    const answer = await request.post(`${this.app.publicUrl}${prefix}/v1/auth/email/start`, {
      headers,
      data: { email, method: "magic_link" },
    });
    const { flow_id: flowId } = (await answer.json()) as { flow_id: string };
    const mail = (await this.app.mails(email)).at(-1);
    if (!mail?.link || !mail.code) throw new Error(`${answer.status()}: no mail with a link came to ${email}`);
    const url = /http\S+\/link#\S+/.exec(mail.text)?.[0] ?? "";
    return { flowId, link: mail.link, url, code: mail.code };
  }

  /** Signs a user in with the password, in this browser. */
  async signIn(user: TestUser): Promise<void> {
    const url = `${this.app.publicUrl}/v1/auth/login`;
    const answer = await this.page.context().request.post(url, { data: user.login });
    if (!answer.ok()) throw new Error(`sign-in: ${answer.status()}`);
    for (const { value } of await this.cookies()) this.app.secrets.add(value);
  }

  /** Requests a mail in this browser and opens its link. */
  async openMailTo(user: TestUser): Promise<string> {
    const { link } = await this.ask(user.email);
    await this.open(link);
    return link;
  }

  async openKind(kind: ProofKind, user: TestUser | null): Promise<string> {
    const { token } = await mailedLink(this.app, user, this.app.defaultApplicationId, kind);
    await this.open(token);
    return token;
  }

  press(name: string): Promise<void> {
    return this.page.getByRole("button", { name, exact: true }).click();
  }

  /** Waits for the view with this heading. */
  async sees(heading: string): Promise<void> {
    await this.page.getByRole("heading", { name: heading, exact: true }).waitFor();
  }

  /** Returns the cookies of a sign-in, without the cookies that remember the mails and the device. */
  async cookies() {
    return (await this.page.context().cookies()).filter(({ name }) => !/^sallyport_(?:ma|dv)/.test(name));
  }

  /** Returns axe's findings, and whether an element is wider than the window. */
  async problems(state: string): Promise<string[]> {
    const { page } = this;
    if (SHOTS) await page.screenshot({ path: `${SHOTS}/${state}.png` });
    await page.evaluate(axe.source);
    const found = await page.evaluate(async () => {
      const { axe: onPage } = window as unknown as { axe: typeof axe };
      return (await onPage.run()).violations.map(({ id, nodes }) => `${id}: ${JSON.stringify(nodes)}`);
    });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    return overflow > 0 ? [...found, `${overflow} px too wide`] : found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}
