import { describe, expect } from "bun:test";
import type { Page } from "playwright-core";
import { browserTest } from "./support/chromium.ts";
import {
  becomes,
  codeOf,
  PASSWORD,
  Profile,
  REFRESH,
  setUpStage,
  signUp,
  stateOf,
  tokenOf,
  userOf,
} from "./support/stage.ts";

const stage = setUpStage();

function openTabs(profile: Profile, count: number): Promise<Page[]> {
  return Promise.all(Array.from({ length: count }, () => profile.open(stage.site.origin)));
}

/** Counts the most refreshes that ran at once. */
function watchRefreshes(): { most: number } {
  const watch = { now: 0, most: 0 };
  stage.instance.before = async (request) => {
    if (request.method === "OPTIONS" || !request.url.endsWith(REFRESH)) return;
    watch.now++;
    watch.most = Math.max(watch.most, watch.now);
    // Long enough for the other tabs to start a refresh, if the lock lets them.
    await Bun.sleep(50);
    watch.now--;
  };
  return watch;
}

describe("two tabs", () => {
  browserTest("show each other's sign-in and sign-out", async () => {
    await using profile = await Profile.create();
    const [one, two] = (await openTabs(profile, 2)) as [Page, Page];
    await becomes(two, "signed-out");
    const email = await signUp(one);
    await becomes(two, "signed-in");
    expect(await userOf(two)).toBe(email);
    expect(await tokenOf(two)).not.toBe(await tokenOf(one));
    await two.evaluate(() => window.sallyport.session.signOut());
    await becomes(one, "signed-out");
    expect(await stateOf(one)).toMatchObject({ reason: "sign-out" });
    expect(await tokenOf(one)).toBeNull();
    expect(await codeOf(one, "session")).toBe("authentication_required");
  });

  browserTest(
    "after a step-up in one, the other continues with the new session, and shows the user all the while",
    async () => {
      await using profile = await Profile.create();
      const [one, two] = (await openTabs(profile, 2)) as [Page, Page];
      await becomes(two, "signed-out");
      await signUp(one);
      await becomes(two, "signed-in");
      const before = await stateOf(two);
      const count = await two.evaluate(() => window.sallyport.states.length);
      await one.evaluate((password) => window.sallyport.session.stepUp({ method: "password", password }), PASSWORD);
      const { session } = await stateOf(one);
      expect(session?.sid).not.toBe(before.session?.sid ?? "");
      await two.waitForFunction((sid) => window.sallyport.session.state.session?.sid === sid, session?.sid);
      const shown = await two.evaluate(
        (from) => window.sallyport.states.slice(from).map(({ status }) => status),
        count,
      );
      expect(new Set(shown)).toEqual(new Set(["signed-in"]));
      // The old session's token no longer works: each tab has its own new one.
      expect(await codeOf(two, "session")).toBeNull();
      expect(await codeOf(one, "session")).toBeNull();
    },
  );

  browserTest("a message about a session that this tab no longer holds changes nothing", async () => {
    await using profile = await Profile.create();
    const [one, two] = (await openTabs(profile, 2)) as [Page, Page];
    await signUp(one);
    const name = `sallyport ${stage.instance.url} ${stage.instance.applicationId}`;
    await two.evaluate((channel) => {
      new BroadcastChannel(channel).postMessage({ type: "sign-out", sid: "of-the-past" });
      new BroadcastChannel(channel).postMessage("noise");
    }, name);
    await one.waitForTimeout(200);
    expect(await stateOf(one)).toMatchObject({ status: "signed-in" });
  });

  browserTest("another user who signs in, in one tab, is signed in, in the other too", async () => {
    await using profile = await Profile.create();
    const [one, two] = (await openTabs(profile, 2)) as [Page, Page];
    await signUp(one);
    await becomes(two, "signed-in");
    const input = { email: "other@example.com", password: PASSWORD };
    await two.evaluate((given) => window.sallyport.session.signUp(given), input);
    await one.waitForFunction(() => window.sallyport.session.state.user?.email === "other@example.com");
    const called = await one.evaluate(() => window.sallyport.session.client.auth.session.query());
    expect(called.user.email).toBe("other@example.com");
  });

  browserTest("a sign-out everywhere ends the user's sessions in other browsers", async () => {
    await using here = await Profile.create();
    await using there = await Profile.create();
    const [page, far] = [await here.open(stage.site.origin), await there.open(stage.site.origin)];
    const email = await signUp(page);
    await becomes(far, "signed-out");
    await far.evaluate((input) => window.sallyport.session.signIn(input), { email, password: PASSWORD });
    await page.evaluate(() => window.sallyport.session.signOut({ all: true }));
    expect(await codeOf(far, "session")).toBe("token_revoked");
    expect(await stateOf(far)).toMatchObject({ status: "signed-out", reason: "ended" });
  });
});

describe("a sign-out everywhere", () => {
  browserTest("renews an expired token first, and ends the sessions in other browsers", async () => {
    await using here = await Profile.create();
    await using there = await Profile.create();
    const [page, far] = [await here.open(stage.site.origin), await there.open(stage.site.origin)];
    const email = await signUp(page);
    await becomes(far, "signed-out");
    // Only the appliance's clock moves, so the page does not know that its token has expired.
    stage.instance.ahead += 16 * 60_000;
    await far.evaluate((input) => window.sallyport.session.signIn(input), { email, password: PASSWORD });
    await page.evaluate(() => window.sallyport.session.signOut({ all: true }));
    expect(await stateOf(page)).toMatchObject({ status: "signed-out", reason: "sign-out" });
    expect(await codeOf(far, "session")).toBe("token_revoked");
  });

  browserTest("says that it failed if the session was over, because the other sessions go on", async () => {
    await using here = await Profile.create();
    await using there = await Profile.create();
    const [page, far] = [await here.open(stage.site.origin), await there.open(stage.site.origin)];
    const email = await signUp(page);
    await becomes(far, "signed-out");
    await far.evaluate((input) => window.sallyport.session.signIn(input), { email, password: PASSWORD });
    await far.evaluate(() => window.sallyport.session.client.auth.sessions.revokeOthers.mutate());
    const code = await page.evaluate(() =>
      window.sallyport.session.signOut({ all: true }).then(
        () => null,
        (error: { code: string }) => error.code,
      ),
    );
    expect(code).toBe("token_revoked");
    expect(await stateOf(page)).toMatchObject({ status: "signed-out", reason: "ended" });
    expect(await codeOf(far, "session")).toBeNull();
  });
});

describe("five tabs that refresh at once", () => {
  browserTest("take turns, and the session goes on", async () => {
    await using profile = await Profile.create();
    const tabs = await openTabs(profile, 5);
    await signUp(tabs[0] as Page);
    for (const tab of tabs) await becomes(tab, "signed-in");
    const watch = watchRefreshes();
    stage.instance.seen.length = 0;
    await Promise.all(tabs.flatMap((tab) => [codeOf(tab, "refresh"), codeOf(tab, "refresh")]));
    expect(stage.instance.count(REFRESH)).toBe(5);
    expect(watch.most).toBe(1);
    for (const tab of tabs) expect(await codeOf(tab, "session")).toBeNull();
    await Promise.all(tabs.map((tab) => tab.reload()));
    for (const tab of tabs) await becomes(tab, "signed-in");
    expect(await codeOf(tabs[3] as Page, "session")).toBeNull();
  });
});

describe("a browser without Web Locks", () => {
  // Two, not more: with three, one may send the token before the last, which looks like a thief's copy.
  browserTest("the appliance's grace covers two tabs that refresh at once", async () => {
    await using profile = await Profile.create();
    await profile.context.addInitScript(() => {
      Object.defineProperty(Navigator.prototype, "locks", { value: undefined });
    });
    const tabs = await openTabs(profile, 2);
    await signUp(tabs[0] as Page);
    for (const tab of tabs) await becomes(tab, "signed-in");
    await Promise.all(tabs.map((tab) => codeOf(tab, "refresh")));
    for (const tab of tabs) expect(await codeOf(tab, "session")).toBeNull();
  });
});

describe("a tab that is frozen while it holds the lock", () => {
  browserTest("is passed over: the other tabs stay signed in, and wait for it no more", async () => {
    await using profile = await Profile.create();
    const [frozen, ...tabs] = (await openTabs(profile, 4)) as [Page, ...Page[]];
    const email = await signUp(frozen);
    for (const tab of tabs) await becomes(tab, "signed-in");
    const name = `sallyport ${stage.instance.url} ${stage.instance.applicationId}`;
    // A frozen tab runs no script, so it never releases the lock. Here the lock is held in its place.
    await frozen.evaluate((lock) => void navigator.locks.request(lock, () => new Promise(() => {})), name);
    await Promise.all(tabs.map((tab) => tab.reload()));
    // Two tabs may lose patience in the same moment, and refresh at once. The appliance's grace covers that.
    for (const tab of tabs) await becomes(tab, "signed-in");
    for (const tab of tabs) {
      expect(await codeOf(tab, "session")).toBeNull();
      expect(await userOf(tab)).toBe(email);
    }
    // The lock was taken from the frozen tab, so no later refresh waits for it.
    const held = await frozen.evaluate(async () => (await navigator.locks.query()).held?.map((lock) => lock.name));
    expect(held).not.toContain(name);
    expect(await codeOf(tabs[0] as Page, "refresh")).toBeNull();
  });
});
