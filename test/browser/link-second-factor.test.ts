import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout } from "bun:test";
import type { TestApp, TestUser } from "../support/app.ts";
import type { Body } from "../support/client.ts";
import { session } from "../support/mail-proofs.ts";
import { totp } from "../support/totp.ts";
import { browserTest, closeBrowser } from "./support/chromium.ts";
import { LinkSite, setApplication, startLinkApp } from "./support/link-site.ts";

setDefaultTimeout(60_000);

let app: TestApp;
beforeAll(async () => {
  app = await startLinkApp();
});
afterAll(async () => {
  await closeBrowser();
  await app.close();
});

interface Enrolled {
  user: TestUser;
  /** The code of now, or of so many steps later. */
  code(steps?: number): string;
  recoveryCodes: string[];
}

/** A user with an authenticator app who has proven nothing else yet. */
async function enrolled(): Promise<Enrolled> {
  const user = await app.user();
  // Proven before the factor exists: the first proof of an address removes every factor that was set up without it.
  await app.storage.write(async (tx) => {
    const proven = { verified_at: app.clock.now() };
    await tx.kysely.updateTable("user_emails").set(proven).where("user_id", "=", user.id).execute();
  });
  const client = await session(app, user, app.defaultApplicationId);
  const setup = (await client.post("/v1/auth/mfa/setup")).body as Body & { secret: string; otpauth_uri: string };
  const code = (steps = 0) => totp(setup.secret, app.clock.now(), steps);
  const done = (await client.post("/v1/auth/mfa/enable", { code: code() })).body as Body & { recovery_codes: string[] };
  for (const secret of [setup.secret, ...done.recovery_codes]) app.secrets.add(secret);
  app.clock.advance(60_000);
  return { user, code, recoveryCodes: done.recovery_codes };
}

const sessionOf = (site: LinkSite) => site.page.evaluate(async () => (await fetch("/v1/auth/session")).json());

describe("the page asks for the second factor if there is one", () => {
  let site: LinkSite;
  beforeEach(async () => {
    site = await LinkSite.create(app);
  });
  afterEach(async () => {
    for (const { value } of await site.cookies()) app.secrets.add(value);
    expect(site.complaints).toEqual([]);
    await site[Symbol.asyncDispose]();
  });

  const openFor = async (user: TestUser) => {
    await site.openMailTo(user);
    await site.press("Sign in");
    await site.sees("One more step");
    expect(await site.cookies()).toEqual([]);
  };

  browserTest("the code of an authenticator app, typed with a space, after a wrong one", async () => {
    const { user, code } = await enrolled();
    await openFor(user);
    const field = site.page.getByLabel("Code from your authenticator app");
    expect(await field.getAttribute("autocomplete")).toBe("one-time-code");
    await field.fill(code(5));
    await site.page.keyboard.press("Enter");
    await site.page.getByText("This code is wrong or was used before").waitFor();
    await field.fill(code().replace(/^.../, "$& "));
    await site.press("Continue");
    await site.sees("You are signed in");
    expect((await sessionOf(site)).session).toMatchObject({ aal: "aal2", auth_method: "magic_link" });
  });

  browserTest("a code that was used before: the page says to wait, and the next one signs in", async () => {
    const { user, code } = await enrolled();
    const spend = await app.client({ "x-application-id": app.applicationId }).post("/v1/auth/login", user.login);
    const used = code();
    const proof = { mfa_token: spend.body.mfa_token, method: "totp", code: used };
    const done = await app.client({ "x-application-id": app.applicationId }).post("/v1/auth/mfa/verify", proof);
    expect(done.status).toBe(200);
    await openFor(user);
    const field = site.page.getByLabel("Code from your authenticator app");
    for (let i = 0; i < 6; i++) {
      await field.fill(`\u200b${used.slice(0, 3)} ${used.slice(3)}\u00a0`);
      const answered = site.page.waitForResponse("**/v1/auth/mfa/verify");
      await site.press("Continue");
      await (await answered).finished();
      await site.page.getByText("Wait until your app shows the next one").waitFor();
      await site.page.waitForSelector("button.primary:not([aria-disabled])");
    }
    expect(await site.page.getByText("wrong").count()).toBe(0);
    app.clock.advance(30_000);
    await field.fill(code());
    await site.press("Continue");
    await site.sees("You are signed in");
  });

  browserTest("a recovery code, for a user who has lost the phone", async () => {
    const { user, recoveryCodes } = await enrolled();
    await openFor(user);
    await site.press("Use a recovery code instead");
    await site.page.getByLabel("Recovery code").fill(recoveryCodes[3] ?? "");
    await site.press("Continue");
    await site.sees("You are signed in");
    // A recovery code goes with a password. After a mail it stands in for the lost app, but the two are not two factors.
    expect((await sessionOf(site)).session.aal).toBe("aal1");
  });

  browserTest("five wrong codes end it, and the page says so", async () => {
    const { user, code } = await enrolled();
    await openFor(user);
    const field = site.page.getByLabel("Code from your authenticator app");
    for (let i = 0; i < 5; i++) {
      await field.fill(code(10 + i));
      const answered = site.page.waitForResponse("**/v1/auth/mfa/verify");
      await site.press("Continue");
      await (await answered).finished();
      if (i < 4) await site.page.waitForSelector("button.primary:not([aria-disabled])");
    }
    await site.sees("Please start again");
    expect(await site.cookies()).toEqual([]);
  });

  browserTest("a passkey, by the browser's own dialog", async () => {
    const cdp = await site.page.context().newCDPSession(site.page);
    await cdp.send("WebAuthn.enable");
    const options = {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
    } as const;
    await cdp.send("WebAuthn.addVirtualAuthenticator", {
      options: { ...options, isUserVerified: true, automaticPresenceSimulation: true },
    });
    const user = await app.user();
    await site.openMailTo(user);
    await site.press("Sign in");
    await site.sees("You are signed in");
    for (const { value } of await site.cookies()) app.secrets.add(value);
    const added = await site.page.evaluate(async () => {
      const post = async (path: string, body: object) => {
        const headers = { "content-type": "application/json" };
        return (await fetch(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
      };
      const begun = await post("/v1/me/passkeys/begin", {});
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(begun.public_key);
      const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
      return post("/v1/me/passkeys/complete", { flow_id: begun.flow_id, response: made.toJSON() });
    });
    expect(added.name).toBeString();
    await site.page.context().clearCookies();
    await openFor(user);
    await site.press("Continue with your passkey");
    await site.sees("You are signed in");
    expect((await sessionOf(site)).session.aal).toBe("aal2");
    // A user without the passkey sees a message, and loses nothing.
    for (const { value } of await site.cookies()) app.secrets.add(value);
    await site.page.context().clearCookies();
    await cdp.send("WebAuthn.disable");
    await openFor(user);
    await site.page.evaluate(() => {
      navigator.credentials.get = () => Promise.reject(new DOMException("no", "NotAllowedError"));
    });
    await site.press("Continue with your passkey");
    await site.page.getByRole("alert").filter({ hasText: "The passkey was not used" }).waitFor();
  });

  browserTest("if a factor is required and missing, the page leads to the application", async () => {
    await setApplication(app, { mfa: "required" });
    const user = await app.user();
    app.clock.advance(1_000);
    await site.openMailTo(user);
    await site.press("Sign in");
    await site.sees("A second factor is needed");
    await site.page.getByRole("link", { name: "Go to Harbour Notes" }).waitFor();
    expect(await site.cookies()).toEqual([]);
    await setApplication(app, { mfa: "optional" });
  });
});
