import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createHmac } from "node:crypto";
import type { BrowserContext, Page } from "playwright-core";
import { type Prepared, prepare, type Running, sallyport, start, tidy } from "../support/cli.ts";
import { browserTest, closeBrowser, launch } from "./support/chromium.ts";
import { type ExampleProject, type ExampleServer, exampleProject } from "./support/example-project.ts";
import { type MailServer, startMailServer } from "./support/mail-server.ts";
import { addPasskeyDevice } from "./support/passkey-device.ts";

/**
 * One user's way through `test/examples/accounts`, from sign-up to the end of the account. The appliance is a process with its
 * own data directory, its mails go to a real SMTP server, and the page is the built package in Chromium.
 */
setDefaultTimeout(300_000);

const EMAIL = "ada@example.com";
const PASSWORD = "walnut-bridge-otter-51";

/** The page's elements by role and name, in one place, because the texts change. */
const at = {
  toSignUp: (page: Page) => page.getByRole("button", { name: /^create account$/i }),
  signUp: (page: Page) => page.getByRole("button", { name: /^create account$/i }),
  signIn: (page: Page) => page.getByRole("button", { name: /^sign in$/i }),
  email: (page: Page) => page.getByLabel(/^email address$/i),
  password: (page: Page) => page.getByLabel(/^password$/i),
  mailCode: (page: Page) => page.getByLabel(/^code from the mail$/i),
  confirmSignUp: (page: Page) => page.getByRole("button", { name: /^create account$/i }),
  confirm: (page: Page) => page.getByRole("button", { name: /^confirm$/i }),
  hello: (page: Page) => page.getByText(`Hello, ${EMAIL}`),
  account: (page: Page) => page.getByRole("button", { name: /account of /i }),
  signOut: (page: Page) => page.locator(".sallyport-panel").getByRole("button", { name: /^sign out$/i }),
  byPasskey: (page: Page) => page.getByRole("button", { name: /^sign in with a passkey$/i }),
  addPasskey: (page: Page) => page.getByRole("button", { name: /^add a passkey$/i }),
  passkeyAdded: (page: Page) => page.getByText(/^the passkey is added\.$/i),
  setUpTotp: (page: Page) => page.getByRole("button", { name: /^set up an authenticator app$/i }),
  totpSecret: (page: Page) => page.locator(".sallyport-secret code"),
  totpCode: (page: Page) => page.getByLabel(/^code from your authenticator app$/i),
  turnOn: (page: Page) => page.getByRole("button", { name: /^turn on$/i }),
  recoveryCodes: (page: Page) => page.getByRole("dialog", { name: /recovery codes/i }),
  codesKept: (page: Page) => page.getByLabel(/^i have kept these codes$/i),
  done: (page: Page) => page.getByRole("button", { name: /^done$/i }),
  totpIsOn: (page: Page) => page.getByText(/^authenticator app: on/i),
  toTotp: (page: Page) => page.getByRole("button", { name: /^use your authenticator app$/i }),
  toRecoveryCode: (page: Page) => page.getByRole("button", { name: /^use a recovery code$/i }),
  recoveryCode: (page: Page) => page.getByLabel(/^recovery code$/i),
  endOthers: (page: Page) => page.getByRole("button", { name: /^sign out everywhere else$/i }),
  endOthersForSure: (page: Page) =>
    page.getByRole("group", { name: /all other devices/i }).getByRole("button", { name: /^sign out$/i }),
  othersEnded: (page: Page) => page.getByText(/^1 other device was signed out\.$/i),
  deleteAccount: (page: Page) => page.getByRole("button", { name: /^delete my account$/i }),
  deleteSure: (page: Page) => page.getByRole("dialog", { name: /delete account/i }).getByLabel(/cannot be undone/i),
  deleteForever: (page: Page) =>
    page.getByRole("dialog", { name: /delete account/i }).getByRole("button", { name: /^delete my account$/i }),
  refused: (page: Page) => page.getByText(/wrong password, or no account/i).first(),
};

let made: Prepared;
let mails: MailServer;
let appliance: Running;
let project: ExampleProject;
let site: ExampleServer;

beforeAll(async () => {
  [made, mails, project] = await Promise.all([prepare(), startMailServer(), exampleProject("accounts")]);
  const settings = ["--sign-up", "verified", "--sign-in-method", "password,passkey", "--mfa", "optional"];
  await administer("app", "set", made.applicationId, ...settings);
  const env = { ...made.env, SALLYPORT_SMTP_URL: mails.url, SALLYPORT_MAIL_FROM: "Accounts <no-reply@example.com>" };
  appliance = await start(["serve", "--port", "0"], { env });
  site = await project.serve({ SALLYPORT_URL: publicUrl(), SALLYPORT_APP_ID: made.applicationId });
  await administer("app", "set", made.applicationId, "--origin", site.origin);
  await untilAllowed(site.origin);
});

afterAll(async () => {
  await closeBrowser();
  await site?.[Symbol.asyncDispose]();
  await appliance?.stop();
  await project?.[Symbol.asyncDispose]();
  await mails?.[Symbol.asyncDispose]();
  await tidy();
});

test("the example type-checks", () => project.typeCheck("main.tsx", "serve.ts"));

browserTest(
  "from sign-up to the end of the account (ASVS 6.2.6, 6.2.7, 6.3.7, 6.4.4, 6.5.1, 7.4.3, 7.4.4)",
  async () => {
    await using phone = await openBrowser();
    const page = await phone.newPage();
    const passkeys = await addPasskeyDevice(page);
    await page.goto(site.origin);

    await signUp(page);
    expect(await passkeys.count()).toBe(0);
    await at.addPasskey(page).click();
    await at.passkeyAdded(page).waitFor();
    expect(await passkeys.count()).toBe(1);
    await mails.next(EMAIL, /passkey/i);

    await signOut(page);
    await at.byPasskey(page).click();
    await at.hello(page).waitFor();

    const { secret, step, codes } = await setUpTotp(page);
    expect(codes).toHaveLength(10);
    await mails.next(EMAIL, /authenticator|second/i);

    await signOut(page);
    await givePassword(page);
    await at.toTotp(page).click();
    // The code that turned it on is used. The next one is already valid, because clocks drift.
    await at.totpCode(page).fill(totp(secret, Math.max(step + 1, currentStep())));
    await at.confirm(page).click();
    await at.hello(page).waitFor();

    // The phone is lost, with the passkey and the authenticator app. Another browser signs in with a recovery code.
    await using laptop = await openBrowser();
    const other = await laptop.newPage();
    await other.goto(site.origin);
    await recover(other, codes[0] ?? "");

    await at.endOthers(other).click();
    await at.endOthersForSure(other).click();
    await at.othersEnded(other).waitFor();
    await page.reload();
    await at.signIn(page).waitFor();
    expect(await at.hello(page).count()).toBe(0);

    await signOut(other);
    await givePassword(other);
    await at.toRecoveryCode(other).click();
    await at.recoveryCode(other).fill(codes[0] ?? "");
    await at.confirm(other).click();
    await other.getByRole("alert").first().waitFor();
    await at.recoveryCode(other).fill(codes[1] ?? "");
    await at.confirm(other).click();
    await at.hello(other).waitFor();

    await at.deleteAccount(other).click();
    await at.deleteSure(other).check();
    await at.deleteForever(other).click();
    await at.signIn(other).waitFor();
    await mails.next(EMAIL, /deleted/i);
    await givePassword(other);
    await at.refused(other).waitFor();
    expect(await at.hello(other).count()).toBe(0);
  },
);

/** Signs up with a pasted password, as from a password manager, and with the mail's code. */
async function signUp(page: Page): Promise<void> {
  await at.toSignUp(page).click();
  await at.email(page).fill(PASSWORD);
  await at.email(page).press("Control+A");
  await at.email(page).press("Control+X");
  await at.password(page).press("Control+V");
  expect(await at.password(page).inputValue()).toBe(PASSWORD);
  expect(await at.password(page).getAttribute("type")).toBe("password");
  await at.email(page).fill(EMAIL);
  await at.signUp(page).click();
  await at.mailCode(page).waitFor();
  expect(await at.hello(page).count()).toBe(0);
  const mail = await mails.next(EMAIL);
  expect(mail.from?.address).toBe("no-reply@example.com");
  await at.mailCode(page).fill(/\b\d{4} \d{4}\b/.exec(mail.text ?? "")?.[0] ?? "");
  await at.confirmSignUp(page).click();
  await at.hello(page).waitFor();
}

async function signOut(page: Page): Promise<void> {
  await at.account(page).click();
  await at.signOut(page).click();
  await at.signIn(page).waitFor();
}

async function givePassword(page: Page): Promise<void> {
  await at.email(page).fill(EMAIL);
  await at.password(page).fill(PASSWORD);
  await at.signIn(page).click();
}

async function recover(page: Page, code: string): Promise<void> {
  await givePassword(page);
  await at.toRecoveryCode(page).click();
  await at.recoveryCode(page).fill(code);
  await at.confirm(page).click();
  await at.hello(page).waitFor();
}

/** @returns also the time step whose code turned it on */
async function setUpTotp(page: Page): Promise<{ secret: Buffer; step: number; codes: string[] }> {
  await at.setUpTotp(page).click();
  const secret = base32((await at.totpSecret(page).textContent()) ?? "");
  const step = currentStep();
  await at.totpCode(page).fill(totp(secret, step));
  await at.turnOn(page).click();
  await at.recoveryCodes(page).waitFor();
  const codes = await at.recoveryCodes(page).getByRole("listitem").allTextContents();
  await at.codesKept(page).check();
  await at.done(page).click();
  await at.totpIsOn(page).waitFor();
  return { secret, step, codes };
}

const currentStep = () => Math.floor(Date.now() / 30_000);

/** The code that an authenticator app shows (RFC 6238). */
function totp(secret: Buffer, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", secret).update(counter).digest();
  const truncated = mac.readUInt32BE(mac.readUInt8(19) & 15) & 0x7fffffff;
  return String(truncated % 1_000_000).padStart(6, "0");
}

/** RFC 4648 section 6. */
function base32(text: string): Buffer {
  const letters = text.replaceAll(/[\s=]/g, "").toUpperCase();
  const bits = [...letters].map((letter) =>
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"),
  );
  const bytes = bits.join("").match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}

async function openBrowser(): Promise<BrowserContext> {
  const context = await (await launch()).newContext();
  context.setDefaultTimeout(20_000);
  return context;
}

const publicUrl = () => String(appliance.ready.public_url);

async function administer(...args: string[]): Promise<void> {
  const { code, stderr } = await sallyport(args, { env: made.env });
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${stderr}`);
}

/** A running server notices a command within seconds. */
async function untilAllowed(origin: string): Promise<void> {
  const headers = { origin, "access-control-request-method": "POST" };
  for (let turn = 0; turn < 200; turn++) {
    const answer = await fetch(`${publicUrl()}/v1/auth/login`, { method: "OPTIONS", headers });
    if (answer.headers.get("access-control-allow-origin") === origin) return;
    await Bun.sleep(100);
  }
  throw new Error(`${origin} is not allowed after twenty seconds`);
}
