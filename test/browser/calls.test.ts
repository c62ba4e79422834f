import { describe, expect } from "bun:test";
import type { Page } from "playwright-core";
import { browserTest } from "./support/chromium.ts";
import { becomes, PASSWORD, Profile, REFRESH, setUpStage, signUp, stateOf, tokenOf } from "./support/stage.ts";

const stage = setUpStage();

/** Serves the site's own API, and records the requests with their tokens. */
function serveApi(answer: (attempt: number, request: Request) => Response | Promise<Response>): {
  tokens: (string | null)[];
} {
  const asked: { tokens: (string | null)[] } = { tokens: [] };
  stage.api = (request) => {
    if (!new URL(request.url).pathname.startsWith("/api")) return undefined;
    asked.tokens.push(request.headers.get("authorization"));
    return answer(asked.tokens.length, request);
  };
  return asked;
}

const refusal = (code: string) => Response.json({ error: { code, message: code } }, { status: 401 });

/** Returns the status of `session.fetch`, or the code that it throws. */
const fetched = (page: Page, address: string, init: RequestInit = {}) =>
  page.evaluate(
    ([to, options]) =>
      window.sallyport.session.fetch(to, options).then(
        (response) => response.status,
        (error) => error.code as string,
      ),
    [address, init] as const,
  );

async function signedIn(profile: Profile): Promise<Page> {
  const page = await profile.open(stage.site.origin);
  await signUp(page);
  stage.instance.seen.length = 0;
  return page;
}

describe("session.fetch", () => {
  browserTest("sends the token to the site's own server, and to no other", async () => {
    const asked = serveApi(() => Response.json({}));
    await using profile = await Profile.create();
    const page = await signedIn(profile);
    expect(await fetched(page, "/api/me")).toBe(200);
    expect(asked.tokens).toEqual([`Bearer ${await tokenOf(page)}`]);
    expect(await fetched(page, "http://localhost:1/api")).toBe("configuration_error");
    expect(await fetched(page, `${stage.instance.url}/v1/auth/session`)).toBe(200);
    await page.evaluate(() => window.sallyport.session.signOut());
    expect(await fetched(page, "/api/me")).toBe(200);
    expect(asked.tokens[1]).toBeNull();
  });

  browserTest("retries a stale token's request once, with its body", async () => {
    const bodies: string[] = [];
    const asked = serveApi(async (attempt, request) => {
      bodies.push(await request.text());
      return attempt === 1 ? refusal("token_expired") : Response.json({});
    });
    await using profile = await Profile.create();
    const page = await signedIn(profile);
    expect(await fetched(page, "/api/notes", { method: "POST", body: "a note" })).toBe(200);
    expect(bodies).toEqual(["a note", "a note"]);
    expect(new Set(asked.tokens).size).toBe(2);
    expect(stage.instance.count(REFRESH)).toBe(1);
  });

  browserTest.each<[string, number, number, () => Response]>([
    ["always token_expired: no loop", 2, 1, () => refusal("token_expired")],
    ["a bare 401", 2, 1, () => new Response(null, { status: 401 })],
    ["a step-up in our envelope", 1, 0, () => refusal("insufficient_user_authentication")],
    ["a wrong password", 1, 0, () => refusal("invalid_credentials")],
    [
      "a step-up by RFC 9470's header",
      1,
      0,
      () =>
        new Response(null, {
          status: 401,
          headers: { "www-authenticate": 'Bearer error="insufficient_user_authentication", acr_values="aal2"' },
        }),
    ],
  ])("%s: %d attempts, %d refreshes", async (_name, attempts, refreshes, answer) => {
    const asked = serveApi(answer);
    await using profile = await Profile.create();
    const page = await signedIn(profile);
    expect(await fetched(page, "/api/me")).toBe(401);
    expect(asked.tokens).toHaveLength(attempts);
    expect(stage.instance.count(REFRESH)).toBe(refreshes);
    expect(await stateOf(page)).toMatchObject({ status: "signed-in" });
  });
});

describe("a tRPC client of the application", () => {
  const item = (code: string | null) =>
    code === null
      ? { result: { data: "yours" } }
      : { error: { message: code, code: -32001, data: { httpStatus: 401, error: { code, message: code } } } };
  const asks = (page: Page) =>
    page.evaluate(() =>
      window.sallyport.trpc("/api", "notes.mine").then(
        (data) => data as string,
        (error) => error.data?.error?.code as string,
      ),
    );

  browserTest.each<[string, number, number, string, (attempt: number) => string | null]>([
    ["is refused once", 2, 1, "yours", (attempt) => (attempt === 1 ? "token_revoked" : null)],
    ["is refused always", 2, 1, "token_expired", () => "token_expired"],
    ["needs a stronger sign-in", 1, 0, "insufficient_user_authentication", () => "insufficient_user_authentication"],
  ])("%s", async (_name, attempts, refreshes, expected, codeAt) => {
    const asked = serveApi((attempt) => {
      const code = codeAt(attempt);
      return Response.json([item(code)], { status: code === null ? 200 : 401 });
    });
    await using profile = await Profile.create();
    const page = await signedIn(profile);
    expect(await asks(page)).toBe(expected);
    expect(asked.tokens).toHaveLength(attempts);
    expect(asked.tokens[attempts - 1]).toBe(`Bearer ${await tokenOf(page)}`);
    expect(stage.instance.count(REFRESH)).toBe(refreshes);
  });
});

describe("a second factor", () => {
  browserTest("is requested by the answer, and nobody is signed in yet", async () => {
    await using profile = await Profile.create();
    const page = await profile.open(stage.site.origin);
    await becomes(page, "signed-out");
    // The answer is played, as the contract describes it.
    const mfa = { status: "mfa_required", mfa_token: "m", mfa_token_expires_in: 300, methods: ["totp"] };
    const cors = { "access-control-allow-origin": stage.site.origin, "access-control-allow-credentials": "true" };
    await page.route("**/v1/auth/login", (route) => route.fulfill({ json: mfa, headers: cors }));
    const input = { email: "ada@example.com", password: PASSWORD };
    expect(await page.evaluate((given) => window.sallyport.session.signIn(given), input)).toEqual(mfa as never);
    expect(await stateOf(page)).toMatchObject({ status: "signed-out" });
    expect(await tokenOf(page)).toBeNull();
  });
});

describe("a server that wants a fresh sign-in", () => {
  /** The page answers with the user's password, and counts how often it was asked. */
  const answerByPassword = (page: Page) =>
    page.evaluate((password) => {
      const { session } = window.sallyport;
      const seen = { asked: 0 };
      Object.assign(window, { seen });
      session.onStepUp(async () => {
        seen.asked++;
        return (await session.stepUp({ method: "password", password })).status === "success";
      });
    }, PASSWORD);
  const timesAsked = (page: Page) => page.evaluate(() => (window as unknown as { seen: { asked: number } }).seen.asked);
  const challenge = { "www-authenticate": 'Bearer error="insufficient_user_authentication", max_age="60"' };

  browserTest("by session.fetch: the request is sent again with the new session's token and its body", async () => {
    const bodies: string[] = [];
    const asked = serveApi(async (attempt, request) => {
      bodies.push(await request.text());
      return attempt === 1 ? new Response(null, { status: 401, headers: challenge }) : Response.json({});
    });
    await using profile = await Profile.create();
    const page = await signedIn(profile);
    await answerByPassword(page);
    const before = (await stateOf(page)).session?.sid;
    stage.instance.ahead += 60_000;
    expect(await fetched(page, "/api/notes", { method: "POST", body: "a note" })).toBe(200);
    expect(bodies).toEqual(["a note", "a note"]);
    expect(new Set(asked.tokens).size).toBe(2);
    expect(asked.tokens[1]).toBe(`Bearer ${await tokenOf(page)}`);
    expect((await stateOf(page)).session?.sid).not.toBe(before);
    expect(stage.instance.count(REFRESH)).toBe(0);
    expect(await timesAsked(page)).toBe(1);
  });

  browserTest("by the tRPC link of another server", async () => {
    const asked = serveApi((attempt) =>
      attempt === 1
        ? Response.json([{ error: { message: "no", code: -32001, data: { httpStatus: 401 } } }], {
            status: 401,
            headers: challenge,
          })
        : Response.json([{ result: { data: "done" } }]),
    );
    await using profile = await Profile.create();
    const page = await signedIn(profile);
    await answerByPassword(page);
    stage.instance.ahead += 60_000;
    const answer = await page.evaluate(
      (url) => window.sallyport.trpc(url, "notes.publish"),
      `${stage.site.origin}/api`,
    );
    expect(answer).toBe("done");
    expect(asked.tokens).toHaveLength(2);
    expect(await timesAsked(page)).toBe(1);
  });

  browserTest("is obeyed once: a second refusal is final", async () => {
    const asked = serveApi(() => new Response(null, { status: 401, headers: challenge }));
    await using profile = await Profile.create();
    const page = await signedIn(profile);
    await answerByPassword(page);
    stage.instance.ahead += 60_000;
    expect(await fetched(page, "/api/notes")).toBe(401);
    expect(asked.tokens).toHaveLength(2);
    expect(await timesAsked(page)).toBe(1);
    expect((await stateOf(page)).status).toBe("signed-in");
  });
});
