import { afterAll, beforeEach, describe, expect } from "bun:test";
import type { Page } from "playwright-core";
import { BadNetwork } from "./support/bad-network.ts";
import { browserTest } from "./support/chromium.ts";
import { becomes, codeOf, PASSWORD, Profile, REFRESH, setUpStage, signUp, stateOf, userOf } from "./support/stage.ts";

const network = new BadNetwork();
const stage = setUpStage(network);

beforeEach(() => {
  network.fate = () => "pass";
});
afterAll(() => network.stop());

/** The statuses and errors that a page has shown since it was loaded, without repetitions. */
const shown = async (page: Page) => {
  const states = await page.evaluate(() =>
    window.sallyport.states.map(({ status, error }) => `${status} ${error?.code ?? ""}`.trim()),
  );
  return [...new Set(states)];
};

/** Loads the page again while the network loses what `fate` says, and waits until the page has noticed. */
async function reloadUnder(page: Page, fate: BadNetwork["fate"]): Promise<void> {
  network.fate = fate;
  await page.reload();
  await page.waitForFunction(() => window.sallyport?.session.state.error !== null);
}

describe("a page load whose requests are reset", () => {
  browserTest.each<[string, (count: number) => boolean]>([
    ["the first refresh", () => false],
    ["two requests in a row", (count) => count <= 1],
    ["every second request", (count) => count <= 9 && count % 2 === 1],
    ["two of three requests", (count) => count <= 9 && count % 3 > 0],
  ])("%s: it stays loading, and signs the user in by itself", async (_name, isLost) => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    const email = await signUp(page);
    let count = 0;
    let refreshes = 0;
    await reloadUnder(page, ({ method, path }) => {
      // The browser itself repeats a request once if it was lost on a connection that had worked before.
      if (method === "POST" && path === REFRESH) return refreshes++ < 2 ? "reset" : "pass";
      return isLost(++count) ? "reset" : "pass";
    });
    await becomes(page, "signed-in");
    expect(await userOf(page)).toBe(email);
    expect(await shown(page)).toEqual(["loading", "loading unreachable", "signed-in"]);
  });

  browserTest.each(["online", "focus", "pageshow"])("asks again at once on %s", async (event) => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    await signUp(page);
    // Asked to wait for an hour, the page goes on only if the event wakes it.
    await reloadUnder(page, () => ({ status: "503 Busy", body: '{"error":{"code":"overloaded","message":"Busy."}}' }));
    network.fate = () => "pass";
    await page.evaluate((name) => window.dispatchEvent(new Event(name)), event);
    await becomes(page, "signed-in");
  });

  browserTest.each([
    ["unexpected_response", '{"error":"unauthorized"}'],
    ["unauthorized", '{"error":{"code":"unauthorized","message":"Log in to the network."}}'],
  ])("a gateway's 401 does not end the session: %s", async (code, body) => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    await signUp(page);
    await reloadUnder(page, ({ method, path }) =>
      method === "POST" && path === REFRESH ? { status: "401 Unauthorized", body } : "pass",
    );
    expect(await stateOf(page)).toMatchObject({ status: "loading", error: code });
    network.fate = () => "pass";
    await page.evaluate(() => window.dispatchEvent(new Event("focus")));
    await becomes(page, "signed-in");
  });
});

describe("a signed-in page whose requests are lost", () => {
  browserTest.each<["reset" | "cut"]>([["reset"], ["cut"]])("%s: no road takes it for a verdict", async (loss) => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    const email = await signUp(page);
    network.fate = ({ method, path }) => (method !== "OPTIONS" && /^.(v1.auth|trpc)/.test(path) ? loss : "pass");
    for (const call of ["refresh", "session", "signOut"] as const) expect(await codeOf(page, call)).toBe("unreachable");
    const code = await page.evaluate(
      (input) =>
        window.sallyport.session.signIn(input).then(
          () => null,
          (error) => error.code as string,
        ),
      { email, password: PASSWORD },
    );
    expect(code).toBe("unreachable");
    expect(await stateOf(page)).toMatchObject({ status: "signed-in" });
  });

  browserTest("a call whose token cannot be renewed is unreachable, and not refused", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    await signUp(page);
    stage.instance.ahead = 16 * 60_000;
    network.fate = ({ path }) => (path === REFRESH ? "reset" : "pass");
    expect(await codeOf(page, "session")).toBe("unreachable");
    const fetched = await page.evaluate(
      (address) =>
        window.sallyport.session.fetch(address).then(
          ({ status }) => String(status),
          (error) => error.code ?? String(error),
        ),
      `${stage.instance.url}/v1/auth/session`,
    );
    expect(fetched).toBe("unreachable");
    expect(await stateOf(page)).toMatchObject({ status: "signed-in", error: "unreachable" });
    network.fate = () => "pass";
    expect(await codeOf(page, "session")).toBeNull();
  });
});

describe("a page whose origin is not allowed", () => {
  browserTest("is told so, and goes on by itself once it is allowed", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    const email = await signUp(page);
    await stage.instance.change({ origins: [] });
    await page.reload();
    await becomes(page, "signed-out");
    expect(await stateOf(page)).toMatchObject({ error: "origin_not_allowed" });
    await stage.instance.change({ origins: [stage.site.origin] });
    await page.evaluate(() => window.dispatchEvent(new Event("focus")));
    await becomes(page, "signed-in");
    expect(await userOf(page)).toBe(email);
  });
});

describe("a sign-out that the page does not wait for", () => {
  browserTest("is not overtaken by the refresh of the next load", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    const other = await profile.open(stage.site.origin);
    await signUp(page);
    await becomes(other, "signed-in");
    const arrived = Promise.withResolvers<void>();
    const overtaken = Promise.withResolvers<void>();
    let isFirst = true;
    stage.instance.before = async (request) => {
      if (request.method !== "POST" || !request.url.endsWith("/v1/auth/logout") || !isFirst) return;
      isFirst = false;
      arrived.resolve();
      await overtaken.promise;
    };
    await page.evaluate(() => void window.sallyport.session.signOut());
    await arrived.promise;
    await page.reload();
    await page.waitForFunction(() => window.sallyport?.session.state.status !== "loading");
    overtaken.resolve();
    expect(await stateOf(page)).toMatchObject({ status: "signed-out", reason: "sign-out" });
    await becomes(other, "signed-out");
    await page.reload();
    await becomes(page, "signed-out");
    expect(await stateOf(page)).toMatchObject({ reason: "none" });
    expect(await signUp(page)).toContain("@");
  });
});
