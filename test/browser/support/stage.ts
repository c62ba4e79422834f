import { afterAll, beforeAll, beforeEach, setDefaultTimeout } from "bun:test";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import type { ApplicationSettings } from "../../../src/identity/applications/administration.ts";
import { closeBrowser, launch } from "./chromium.ts";
import { type Instance, startInstance } from "./instance.ts";
import { type PageServer, servePage } from "./page-server.ts";

export const SESSION_ENTRY = fileURLToPath(new URL("./session-page.ts", import.meta.url));
export const PASSWORD = "five tame otters hum at dawn";
export const REFRESH = "/v1/auth/refresh";

/** The settings of a new application, restored so that no test sees another's changes. */
const USUAL = {
  sign_up: "immediate",
  sign_in_methods: ["password", "passkey"],
  mfa: "optional",
  mfa_grace: 0,
  mfa_remember: 0,
} as const satisfies Partial<ApplicationSettings>;

/** Shared by the tests of one file, and filled before the first test. */
export interface Stage {
  instance: Instance;
  /** An allowed origin, whose page holds a session. */
  site: PageServer;
  /** The site's own answers, for the tests that call the site's server. */
  api: (request: Request) => Response | undefined | Promise<Response>;
}

/**
 * Sets up an appliance and a site for the tests of this file, fresh before each test.
 * @param front starts a proxy in front of the appliance
 */
export function setUpStage(front?: { url: string; lead(port: number): void }): Stage {
  // A test that times out ends the browser, and with it the later tests. The waits inside a test must fail first.
  setDefaultTimeout(60_000);
  const stage = { api: () => undefined } as unknown as Stage;
  beforeAll(async () => {
    stage.instance = await startInstance(front?.url);
    front?.lead(stage.instance.port);
    stage.site = await servePage({
      entry: SESSION_ENTRY,
      data: pageData(stage.instance),
      connect: [stage.instance.url],
      api: (request) => stage.api(request),
    });
  });
  afterAll(async () => {
    await closeBrowser();
    await stage.site[Symbol.asyncDispose]();
    await stage.instance[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    stage.api = () => undefined;
    stage.instance.ahead = 0;
    stage.instance.before = () => {};
    await stage.instance.change({ origins: [stage.site.origin], ...USUAL });
    stage.instance.seen.length = 0;
  });
  return stage;
}

export const pageData = ({ url, applicationId }: Instance) => ({ url, "application-id": applicationId });

/** A browser profile: its tabs share cookies. */
export class Profile implements AsyncDisposable {
  private constructor(readonly context: BrowserContext) {}

  static async create(): Promise<Profile> {
    const context = await (await launch()).newContext();
    context.setDefaultTimeout(15_000);
    return new Profile(context);
  }

  async open(address: string): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(address);
    await page.waitForFunction(() => window.sallyport !== undefined);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
  }
}

/** Returns the state with its error's code, because classes do not travel between page and test. */
export const stateOf = (page: Page) =>
  page.evaluate(() => {
    const { state } = window.sallyport.session;
    return { ...state, error: state.error?.code ?? null };
  });
export const tokenOf = (page: Page) => page.evaluate(() => window.sallyport.session.getAccessToken());
export const userOf = async (page: Page) => (await stateOf(page)).user?.email ?? null;
export const becomes = (page: Page, status: string) =>
  page.waitForFunction((text) => window.sallyport.session.state.status === text, status);

let people = 0;

/** Signs a new user up. @returns the address */
export async function signUp(page: Page): Promise<string> {
  const email = `person-${++people}@example.com`;
  await becomes(page, "signed-out");
  await page.evaluate((input) => window.sallyport.session.signUp(input), { email, password: PASSWORD });
  return email;
}

/** Returns the code with which a call in the page rejects, or null if it succeeds. */
export function codeOf(page: Page, what: "signOut" | "getAccessToken" | "refresh" | "session"): Promise<string | null> {
  return page.evaluate(async (name) => {
    const { session } = window.sallyport;
    const call: Promise<unknown> = name === "session" ? session.client.auth.session.query() : session[name]();
    return call.then(
      () => null,
      (error) => error.code,
    );
  }, what);
}
