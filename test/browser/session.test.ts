import { describe, expect } from "bun:test";
import { browserTest } from "./support/chromium.ts";
import { becomes, PASSWORD, Profile, REFRESH, setUpStage, signUp, stateOf, tokenOf, userOf } from "./support/stage.ts";

const stage = setUpStage();

describe("one tab", () => {
  browserTest("signs up, in and out, and knows the user after a reload", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    const email = await signUp(page);
    expect(await userOf(page)).toBe(email);
    const called = await page.evaluate(() => window.sallyport.session.client.auth.session.query());
    expect(called.user.email).toBe(email);
    expect(await page.evaluate(() => window.sallyport.session.state.session?.sid ?? "")).toBe(
      called.session?.id ?? "none",
    );
    await page.reload();
    await becomes(page, "signed-in");
    expect(await userOf(page)).toBe(email);
    await page.evaluate(() => window.sallyport.session.signOut());
    expect(await stateOf(page)).toMatchObject({
      status: "signed-out",
      reason: "sign-out",
    });
    expect(await tokenOf(page)).toBeNull();
    await page.reload();
    await becomes(page, "signed-out");
    const input = { email, password: PASSWORD };
    const answer = await page.evaluate((given) => window.sallyport.session.signIn(given), input);
    expect(answer).toEqual({ status: "success", user: expect.objectContaining({ email }) });
    const wrong = await page.evaluate(
      (given) => window.sallyport.session.signIn({ ...given, password: "wrong" }).catch((error) => error.code),
      input,
    );
    expect(wrong).toBe("invalid_credentials");
    expect((await stateOf(page)).status).toBe("signed-in");
  });

  browserTest("leaves no token where a script could find it", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    await signUp(page);
    await page.evaluate(() => window.sallyport.session.refresh());
    const found = await page.evaluate(async () => ({
      local: Object.keys(localStorage),
      session: Object.keys(sessionStorage),
      cookie: document.cookie,
      databases: (await indexedDB.databases()).length,
      caches: (await caches.keys()).length,
    }));
    expect(found).toEqual({ local: [], session: [], cookie: "", databases: 0, caches: 0 });
    const cookies = await profile.context.cookies(`${stage.instance.url}${REFRESH}`);
    expect(cookies.map(({ name, httpOnly, sameSite, path }) => [name.slice(0, 12), httpOnly, sameSite, path])).toEqual([
      ["sallyport_rt", true, "Lax", "/v1/auth"],
      ["sallyport_dv", true, "Lax", "/"],
    ]);
  });
});
