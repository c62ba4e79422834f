import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout } from "bun:test";
import type { TestApp } from "../support/app.ts";
import {
  changeAddress,
  forgot,
  giveEmail,
  NEW_PASSWORD,
  session,
  signUp,
  verifyPrimary,
} from "../support/mail-proofs.ts";
import { completeBy } from "../support/mailed-links.ts";
import { PASSWORD } from "../support/template.ts";
import { browserTest, closeBrowser } from "./support/chromium.ts";
import { LinkSite, startLinkApp } from "./support/link-site.ts";

setDefaultTimeout(60_000);
const OTHER_PASSWORD = "walrus-candle-thirty-fox";

let app: TestApp;
beforeAll(async () => {
  app = await startLinkApp();
  app.secrets.add(OTHER_PASSWORD).add(NEW_PASSWORD);
});
afterAll(async () => {
  await closeBrowser();
  await app.close();
});

const emails = async (userId: string) => {
  const rows = await app.storage.read.kysely
    .selectFrom("user_emails")
    .selectAll()
    .where("user_id", "=", userId)
    .orderBy("is_primary", "desc")
    .execute();
  return rows.map(({ address, verified_at }) => [address, verified_at !== null]);
};
const login = (email: string, password: string) => app.client().post("/v1/auth/login", { email, password });

describe("each kind of link, from the mail to its end", () => {
  let site: LinkSite;
  afterEach(async () => {
    for (const { value } of await site.cookies()) app.secrets.add(value);
    expect(site.complaints).toEqual([]);
    await site[Symbol.asyncDispose]();
  });

  /** Opens the link again, as a user who finds the mail later. */
  const isUsed = async (token: string) => {
    await site.open("");
    await site.open(token);
    await site.sees("This link no longer works");
  };

  browserTest("sign-up: the click makes the account, and signs the user in", async () => {
    site = await LinkSite.create(app);
    const email = "grace@example.com";
    const { token } = await signUp(app, email, app.defaultApplicationId);
    const users = () => app.storage.read.kysely.selectFrom("users").select("id").execute();
    const before = (await users()).length;
    await site.open(token);
    await site.sees("Create your account");
    expect(await site.page.textContent(".lead")).toContain("This confirms g•••@example.com");
    expect((await users()).length).toBe(before);
    expect(await site.page.textContent(".lead")).toContain("Asked for by Bun (");
    await site.page.getByLabel("New password", { exact: true }).fill(OTHER_PASSWORD);
    await site.press("Create the account");
    await site.sees("Your account is ready");
    expect((await users()).length).toBe(before + 1);
    // The password of the request, which a stranger may have made, opens nothing.
    expect((await login(email, NEW_PASSWORD)).status).toBe(401);
    expect((await login(email, OTHER_PASSWORD)).status).toBe(200);
    const me = await site.page.evaluate(async () => (await fetch("/v1/auth/session")).json());
    expect(me.user).toMatchObject({ email, email_verified: true });
    await isUsed(token);
  });

  browserTest("an added address is on the list once it is confirmed, and the link signs nobody in", async () => {
    site = await LinkSite.create(app);
    const user = await app.user();
    const client = await session(app, user, app.defaultApplicationId);
    const answer = await client.post("/v1/me/emails", { email: "more@example.com" });
    expect(answer.status).toBe(202);
    const { link } = await app.mail("more@example.com");
    // A reader without a session of the account sees the request, and can do nothing here.
    await site.open(link ?? "");
    await site.sees("Confirm it where you asked for it");
    const lead = await site.page.textContent(".lead");
    expect(lead).toMatch(/^Bun asked to use m•••@example\.com for the account p•••@example\.com at Harbour Notes \(/);
    expect(await site.page.getByRole("button").count()).toBe(0);
    expect(await emails(user.id)).toHaveLength(1);
    await site.signIn(await app.user());
    await site.open("");
    await site.open(link ?? "");
    await site.sees("Confirm it where you asked for it");
    await site.signIn(user);
    const before = await site.cookies();
    await site.open("");
    await site.open(link ?? "");
    await site.sees("Confirm your address");
    await site.press("Confirm the address");
    await site.sees("Your address is confirmed");
    expect(await emails(user.id)).toContainEqual(["more@example.com", true]);
    expect(await site.cookies()).toEqual(before);
    await isUsed(link ?? "");
  });

  browserTest(
    "a new password: the field shows the policy's reasons, and the link stays until a password is accepted",
    async () => {
      site = await LinkSite.create(app);
      const user = await app.user();
      const { token } = await forgot(app, user.email, app.defaultApplicationId);
      await site.open(token);
      await site.sees("Set a new password");
      const field = site.page.getByLabel("New password", { exact: true });
      for (const [password, reason] of [
        ["too short", "The password needs at least 15 characters. It has 9."],
        ["passwordpassword", "password"],
      ] as const) {
        await field.fill(password);
        await site.press("Set the password");
        await site.page.locator(".problem", { hasText: reason }).waitFor();
        expect(await field.inputValue()).toBe(password);
      }
      await field.fill(OTHER_PASSWORD);
      await site.press("Set the password");
      await site.sees("Your new password is set");
      expect(await site.page.textContent(".lead")).not.toContain("removed");
      expect(await site.cookies()).toEqual([]);
      expect((await login(user.email, PASSWORD)).status).toBe(401);
      expect((await login(user.email, OTHER_PASSWORD)).status).toBe(200);
      await isUsed(token);
    },
  );

  browserTest("a new password for an address that nobody had proven: names what was removed", async () => {
    site = await LinkSite.create(app);
    const user = await app.unproven();
    await giveEmail(app, user, undefined, false);
    const { token } = await forgot(app, user.email, app.defaultApplicationId);
    await site.open(token);
    await site.page.getByLabel("New password", { exact: true }).fill(OTHER_PASSWORD);
    await site.press("Set the password");
    await site.sees("Your new password is set");
    expect(await site.page.textContent(".lead")).toContain("was removed: additional addresses, password.");
  });

  browserTest(
    "undoing a change of address: restores the old one, ends every session, and mails a link for a new password",
    async () => {
      site = await LinkSite.create(app);
      const user = await app.user("old@example.com");
      await verifyPrimary(app, user);
      const token = await changeAddress(app, user, "thief@example.com", app.defaultApplicationId);
      const thief = await app.signIn(user, app.defaultApplicationId);
      await site.open(token);
      await site.sees("Undo the change of address");
      expect(await site.page.textContent(".lead")).toContain("o•••@example.com becomes the address");
      expect(await site.page.textContent(".until")).toMatch(/until 8\s+March\s+2026/);
      await site.press("Undo the change");
      await site.sees("The change is undone");
      expect(await emails(user.id)).toEqual([["old@example.com", true]]);
      expect((await app.client().bearer(thief.accessToken).get("/v1/auth/session")).code).toBe("token_revoked");
      await isUsed(token);
      const reset = (await app.mails("old@example.com")).find(({ link }) => link !== null);
      await site.open(reset?.link ?? "");
      await site.sees("Set a new password");
    },
  );

  browserTest("a scanner that runs the script uses up no link", async () => {
    const user = await app.user();
    await verifyPrimary(app, user);
    const kinds: Record<string, string> = {
      "Create your account": (await signUp(app, undefined, app.defaultApplicationId)).token,
      "Set a new password": (await forgot(app, user.email, app.defaultApplicationId)).token,
      "Undo the change of address": await changeAddress(app, user, undefined, app.defaultApplicationId),
    };
    const open = () =>
      app.storage.read.kysely.selectFrom("flows").select("id").where("consumed_at", "is", null).execute();
    const before = await open();
    for (const [heading, token] of Object.entries(kinds)) {
      site = await LinkSite.create(app, { userAgent: "Mail scanner" });
      await site.open(token);
      await site.sees(heading);
      await site.page.waitForLoadState("networkidle");
      if (heading !== "Undo the change of address") await site[Symbol.asyncDispose]();
    }
    expect(await open()).toEqual(before);
    for (const token of Object.values(kinds)) {
      expect((await app.client().post("/v1/auth/link", { token })).status).toBe(200);
      // No link signs in at the endpoint of another kind.
      expect((await completeBy(app.client(), { token })).code).toBe("invalid_code");
    }
  });

  browserTest("a second address, confirmed later from the list", async () => {
    site = await LinkSite.create(app);
    const user = await app.user();
    await verifyPrimary(app, user);
    // A mail from the very millisecond in which another address was proven counts as older, and proves nothing.
    app.clock.advance(1);
    const id = await giveEmail(app, user, "second@example.com", false);
    const client = await session(app, user, app.defaultApplicationId);
    expect((await client.post(`/v1/me/emails/${id}/verify`)).status).toBe(202);
    const { link } = await app.mail("second@example.com");
    await site.signIn(user);
    await site.open(link ?? "");
    await site.press("Confirm the address");
    await site.sees("Your address is confirmed");
    expect(await emails(user.id)).toContainEqual(["second@example.com", true]);
  });
});
