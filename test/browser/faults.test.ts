import { describe, expect } from "bun:test";
import type { Page } from "playwright-core";
import { browserTest } from "./support/chromium.ts";
import { servePage } from "./support/page-server.ts";
import {
  becomes,
  codeOf,
  PASSWORD,
  Profile,
  pageData,
  REFRESH,
  SESSION_ENTRY,
  setUpStage,
  signUp,
  stateOf,
  tokenOf,
  userOf,
} from "./support/stage.ts";

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
const stage = setUpStage();

describe("without a network", () => {
  browserTest("the user stays signed in, and is refreshed when the network is back", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    await signUp(page);
    const token = await tokenOf(page);
    await profile.context.setOffline(true);
    expect(await codeOf(page, "refresh")).toBe("unreachable");
    expect(await codeOf(page, "session")).toBe("unreachable");
    expect(await stateOf(page)).toMatchObject({ status: "signed-in", error: "unreachable" });
    expect(await tokenOf(page)).toBe(token);
    // The cookie is out of reach: "signed out" would be wrong at the next load.
    expect(await codeOf(page, "signOut")).toBe("unreachable");
    expect(await stateOf(page)).toMatchObject({ status: "signed-in" });
    await profile.context.setOffline(false);
    await page.waitForFunction(() => window.sallyport.session.state.error === null);
    expect(await stateOf(page)).toMatchObject({ status: "signed-in" });
    expect(await tokenOf(page)).not.toBe(token);
    expect(await codeOf(page, "session")).toBeNull();
  });

  browserTest("a page that cannot ask reports neither signed in nor signed out, and asks again", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    await signUp(page);
    await profile.context.route(`${stage.instance.url}/**`, (route) => route.abort());
    await page.reload();
    await page.waitForFunction(() => window.sallyport?.session.state.error !== null);
    expect(await stateOf(page)).toMatchObject({ status: "loading", error: "unreachable" });
    await profile.context.unroute(`${stage.instance.url}/**`);
    await becomes(page, "signed-in");
  });

  browserTest("a page that is left during a refresh keeps the answer's cookie", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    await signUp(page);
    const arrived = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    stage.instance.before = async (request) => {
      if (request.method !== "POST") return;
      arrived.resolve();
      await left.promise;
    };
    await page.evaluate(() => void window.sallyport.session.refresh());
    await arrived.promise;
    const asked = (await profile.context.cookies(`${stage.instance.url}${REFRESH}`))[0]?.value;
    await page.close();
    left.resolve();
    stage.instance.before = () => {};
    while ((await profile.context.cookies(`${stage.instance.url}${REFRESH}`))[0]?.value === asked) await Bun.sleep(20);
    // After the grace period, the old token would end the session.
    stage.instance.ahead = 3 * MINUTE;
    await becomes(await profile.open(stage.site.origin), "signed-in");
  });
});

describe("a token at its end", () => {
  browserTest("is replaced, and the call is repeated once", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    await signUp(page);
    stage.instance.ahead = 16 * MINUTE;
    stage.instance.seen.length = 0;
    expect(await codeOf(page, "session")).toBeNull();
    expect(stage.instance.count(REFRESH)).toBe(1);
    expect(stage.instance.count("/trpc/auth.session")).toBe(2);
  });

  browserTest("is replaced before its end, by itself, whatever the device's clock says", async () => {
    await using profile = await Profile.create();
    await profile.context.clock.install({ time: "2001-01-01T00:00:00Z" });
    const page = await profile.open(stage.site.origin);
    await signUp(page);
    const token = await tokenOf(page);
    stage.instance.seen.length = 0;
    await page.clock.runFor(14 * MINUTE);
    expect(await tokenOf(page)).toBe(token);
    expect(stage.instance.count(REFRESH)).toBe(0);
    await page.clock.runFor(31_000);
    // No call asks for it: the page refreshes by itself.
    await page.waitForFunction(() => window.sallyport.states.length >= 4);
    expect(await tokenOf(page)).not.toBe(token);
    expect(stage.instance.count(REFRESH)).toBe(1);
    // The clock jumps a quarter of a century to the right time: at most one more refresh, and calls go on.
    await page.clock.setSystemTime("2026-06-01T00:00:00Z");
    for (let call = 0; call < 3; call++) expect(await codeOf(page, "session")).toBeNull();
    expect(stage.instance.count(REFRESH)).toBeLessThanOrEqual(2);
  });

  browserTest("is left alone in a hidden tab, and replaced when the tab is shown", async () => {
    await using profile = await Profile.create();
    await profile.context.clock.install();
    const page = await profile.open(stage.site.origin);
    await signUp(page);
    const show = (state: string) =>
      page.evaluate((value) => {
        Object.defineProperty(document, "visibilityState", { value, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, state);
    await show("hidden");
    stage.instance.seen.length = 0;
    await page.clock.runFor(60 * MINUTE);
    expect(stage.instance.count(REFRESH)).toBe(0);
    await show("visible");
    await page.waitForFunction(() => window.sallyport.states.length >= 4);
    expect(stage.instance.count(REFRESH)).toBe(1);
  });

  browserTest("of an expired session signs the user out, in every tab", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    const other = await profile.open(stage.site.origin);
    await signUp(page);
    await becomes(other, "signed-in");
    stage.instance.ahead = 31 * DAY;
    expect(await codeOf(page, "session")).toBe("token_expired");
    expect(await stateOf(page)).toMatchObject({ status: "signed-out", reason: "ended", error: null });
    await becomes(other, "signed-out");
    expect(await stateOf(other)).toMatchObject({ reason: "ended" });
    await page.reload();
    await becomes(page, "signed-out");
    expect(await stateOf(page)).toMatchObject({ reason: "none" });
  });

  browserTest("of one user is not replaced by another user's for the same call", async () => {
    await using profile = await Profile.create();
    await using elsewhere = await Profile.create();
    const page = await profile.open(stage.site.origin);
    await signUp(page);
    const other = await signUp(await elsewhere.open(stage.site.origin));
    // As if a page of another origin, which shares the cookie but no channel, signs another user in.
    await profile.context.addCookies(await elsewhere.context.cookies(`${stage.instance.url}${REFRESH}`));
    stage.instance.ahead = 16 * MINUTE;
    stage.instance.seen.length = 0;
    expect(await codeOf(page, "session")).toBe("token_expired");
    expect(stage.instance.count("/trpc/auth.session")).toBe(1);
    expect(await userOf(page)).toBe(other);
    expect(await codeOf(page, "session")).toBeNull();
  });

  browserTest("of a session that was ended elsewhere signs the user out after one attempt", async () => {
    await using profile = await Profile.create();
    await using elsewhere = await Profile.create();
    const page = await profile.open(stage.site.origin);
    const email = await signUp(page);
    const far = await elsewhere.open(stage.site.origin);
    await becomes(far, "signed-out");
    await far.evaluate((input) => window.sallyport.session.signIn(input), { email, password: PASSWORD });
    await far.evaluate(() => window.sallyport.session.client.auth.sessions.revokeOthers.mutate());
    stage.instance.seen.length = 0;
    expect(await codeOf(page, "session")).toBe("token_revoked");
    expect(await stateOf(page)).toMatchObject({ status: "signed-out", reason: "ended" });
    expect(stage.instance.count(REFRESH)).toBe(1);
    expect(stage.instance.count("/trpc/auth.session")).toBe(1);
  });
});

describe("a stale cookie of another path", () => {
  browserTest("is sent first, and does no harm: the user stays signed in, and the cookie goes", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    const email = await signUp(page);
    const refresh = `${stage.instance.url}${REFRESH}`;
    const [own] = await profile.context.cookies(refresh);
    if (!own) throw new Error("there is no refresh cookie");
    await page.reload();
    await becomes(page, "signed-in");
    // From the time when the application's cookie path was a longer one. Its token has been used.
    await profile.context.addCookies([{ ...own, path: REFRESH }]);
    stage.instance.ahead = 10 * MINUTE;
    await page.reload();
    await becomes(page, "signed-in");
    expect(await userOf(page)).toBe(email);
    expect(
      (await profile.context.cookies(refresh)).filter(({ name }) => name === own.name).map(({ path }) => path),
    ).toEqual(["/v1/auth"]);
  });
});

describe("without the cookie", () => {
  browserTest("the session reports it while it is alive", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    await signUp(page);
    await profile.context.clearCookies();
    expect(await codeOf(page, "refresh")).toBe("configuration_error");
    expect(await stateOf(page)).toMatchObject({ status: "signed-in", error: "configuration_error" });
  });

  browserTest("an origin that is not allowed gets an explanation, and nothing else", async () => {
    const { instance } = stage;
    await using stranger = await servePage({ entry: SESSION_ENTRY, data: pageData(instance), connect: [instance.url] });
    await using profile = await Profile.create();
    const page = await profile.open(stranger.origin);
    await becomes(page, "signed-out");
    expect(await stateOf(page)).toMatchObject({ error: "origin_not_allowed" });
    const attempt = (name: "signUp" | "signIn") =>
      page.evaluate(
        ([method, input]) =>
          window.sallyport.session[method](input).then(
            () => null,
            (thrown) => thrown.message,
          ),
        [name, { email: "stranger@example.com", password: PASSWORD }] as const,
      );
    expect(await attempt("signUp")).toContain(`does not answer pages of ${stranger.origin}`);
    expect(await attempt("signIn")).toContain("allowed origins");
    expect(await profile.context.cookies([`${instance.url}${REFRESH}`])).toEqual([]);
    await instance.change({ origins: [stage.site.origin, stranger.origin] });
    await page.reload();
    expect(await signUp(page)).toContain("@");
  });

  browserTest("an unknown application is reported, and not requested again and again", async () => {
    const { instance } = stage;
    const data = { ...pageData(instance), "application-id": "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f" };
    await using site = await servePage({ entry: SESSION_ENTRY, data, connect: [instance.url] });
    await instance.change({ origins: [site.origin] });
    await using profile = await Profile.create();
    const page = await profile.open(site.origin);
    await becomes(page, "signed-out");
    expect((await stateOf(page)).error).not.toBeNull();
    const message = await page.evaluate(() => window.sallyport.session.state.error?.message);
    expect(message).toContain("018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f");
  });

  browserTest.each([["127.0.0.1"], ["app.localhost"]])(
    "a page at %s is refused, because it is another site",
    async (host) => {
      await using profile = await Profile.create();
      const page: Page = await profile.open(`http://${host}:${stage.site.port}`);
      const { refused } = await page.evaluate(() => ({ refused: window.sallyport.refused }));
      expect(refused).toMatchObject({ code: "configuration_error" });
      expect(refused?.message).toContain("different sites");
      expect(stage.instance.seen).toEqual([]);
    },
  );
});
