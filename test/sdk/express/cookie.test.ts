import { afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type RequireSessionOptions, requireSession } from "../../../src/sdk/express/index.ts";
import { serve, versions } from "../support/express.ts";
import { APPLICATION, newKey, TestIssuer, type TestKey } from "../support/issuer.ts";

/** The access cookie: a browser sends it with every request that a page makes it send. */
const AUDIENCE = "api.banking.example";
const ORIGIN = "https://app.example.com";
const OTHER = "018f3c4a-7b2e-7c1d-9e0a-000000000000";
let issuer: TestIssuer;
let key: TestKey;

beforeAll(async () => {
  key = await newKey("EdDSA");
});
beforeEach(() => {
  issuer = new TestIssuer();
  issuer.keys = [key];
});
afterEach(async () => issuer[Symbol.asyncDispose]());

const token = (claims: Record<string, unknown> = {}) => issuer.token(key, { aud: AUDIENCE, ...claims });

describe.each(versions)("the cookie under %s", (_name, express) => {
  const open = (options: RequireSessionOptions = {}) =>
    requireSession({ tenantUrl: issuer.url, audience: AUDIENCE, now: issuer.now, revocations: "poll", ...options });
  function app(options: RequireSessionOptions = {}) {
    const made = express();
    made.use(open(options));
    made.all("/me", (request, response) => void response.json({ sub: request.user.sub }));
    return serve(made);
  }

  const cookie = (value: string, name = "sallyport_at") => ({ cookie: `a=b; ${name}=${value}; c=d` });

  test.each<[string, string, Record<string, string>, number]>([
    ["reading, from anywhere", "GET", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }, 200],
    ["reading, without a page", "GET", {}, 200],
    ["a change, same origin according to the browser", "POST", { "sec-fetch-site": "same-origin" }, 200],
    ["a change, same origin", "POST", { origin: "SELF" }, 200],
    ["a change, allowed origin", "POST", { origin: ORIGIN, "sec-fetch-site": "cross-site" }, 200],
    ["a change, from elsewhere", "POST", { origin: "https://evil.example" }, 403],
    [
      "a change, from elsewhere, according to the browser",
      "POST",
      { origin: "SELF", "sec-fetch-site": "cross-site" },
      403,
    ],
    ["a change, from a sibling", "POST", { "sec-fetch-site": "same-site" }, 403],
    ["a change, typed in", "POST", { "sec-fetch-site": "none" }, 403],
    ["a change, from a sandbox", "POST", { origin: "null" }, 403],
    ["a change, from a similar host", "POST", { origin: `${ORIGIN}.evil.example` }, 403],
    ["a change, from the same host with another scheme", "POST", { origin: "http://app.example.com" }, 403],
    ["a change, without a known origin", "POST", {}, 403],
    ["deleting", "DELETE", { origin: "https://evil.example" }, 403],
    ["an unknown method counts as a change", "PROPFIND", {}, 403],
  ])("%s: %s", async (_case, method, headers, status) => {
    using server = await app({ allowedOrigins: [ORIGIN] });
    const own = headers.origin === "SELF" ? { ...headers, origin: server.url } : headers;
    const answer = await server.get("/me", { ...cookie(await token()), ...own }, method);
    expect(answer.status).toBe(status);
    if (status === 403) expect(await answer.json()).toMatchObject({ error: { code: "origin_not_allowed" } });
  });

  test("a WebSocket's GET must have an allowed origin, because any page could open and read it", async () => {
    const upgrade = {
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-key": "x",
      "sec-websocket-version": "13",
    };
    const run = async (headers: Record<string, string>) => {
      let status = 200;
      const request = { method: "GET", headers: { host: "localhost", ...headers } };
      const response = {
        setHeader: () => undefined,
        end: () => undefined,
        set statusCode(value: number) {
          status = value;
        },
      };
      const handler = open();
      await new Promise<void>((resolve) => {
        handler(request, Object.assign(response, { end: () => resolve() }), () => resolve());
      });
      return status;
    };
    const sent = cookie(await token());
    expect(await run({ ...sent, ...upgrade, origin: "https://evil.example" })).toBe(403);
    expect(await run({ ...sent, ...upgrade, origin: "http://localhost" })).toBe(200);
  });

  test("the header wins, good or bad, and has no origin rule", async () => {
    using server = await app();
    const good = await token({ sub: "header" });
    const both = { ...cookie(await token({ sub: "cookie" })), authorization: `Bearer ${good}` };
    const answer = await server.get("/me", { ...both, origin: "https://evil.example" }, "POST");
    expect(await answer.json()).toMatchObject({ sub: "header" });
    expect((await server.get("/me", { ...both, authorization: "Basic YTpi" })).status).toBe(401);
  });

  test("of several cookies of one name the good one counts, and two users' count as none", async () => {
    using server = await app();
    const good = await token();
    const [expired, other] = [await token({ exp: 1 }), await token({ sub: "018f3c4a-0000-7000-8000-00000000ffff" })];
    const status = async (...values: string[]) =>
      (await server.get("/me", { cookie: values.map((value) => `sallyport_at=${value}`).join("; ") })).status;
    for (const stale of [expired, "nonsense", "a.b.c"]) {
      expect([stale, await status(stale, good), await status(good, stale)]).toEqual([stale, 200, 200]);
    }
    // Over plain http, a sibling host can plant a cookie that is sent first (session fixation).
    expect([await status(other, good), await status(good, other)]).toEqual([401, 401]);
    expect([await status("1", "2", "3", good), await status("1", "2", "3", "4", good)]).toEqual([200, 401]);
    const both = await server.get("/me", { cookie: `sallyport_at=${other}; sallyport_at=${good}` });
    expect((await both.json()).error.message).toContain("two users");
    expect(both.headers.get("www-authenticate")).toContain("invalid_token");
  });

  test("its name follows application and issuer", async () => {
    const short = APPLICATION.slice(-12);
    using named = await app({ applicationId: APPLICATION });
    const mine = await token();
    const other = await token({ azp: OTHER });
    expect((await named.get("/me", cookie(mine, `sallyport_at_${short}`))).status).toBe(200);
    expect((await named.get("/me", cookie(mine))).status).toBe(200);
    // The default application's cookie is on the same host.
    const both = { cookie: `sallyport_at=${other}; sallyport_at_${short}=${mine}` };
    expect((await named.get("/me", both)).status).toBe(200);
    expect((await named.get("/me", cookie(mine, `sallyport_at_${OTHER.slice(-12)}`))).status).toBe(401);
    using own = await app({ cookie: "session" });
    expect((await own.get("/me", cookie(mine, "session"))).status).toBe(200);
    expect((await own.get("/me", cookie(mine))).status).toBe(401);
    using none = await app({ cookie: false });
    expect((await none.get("/me", cookie(mine))).status).toBe(401);
    // A sibling host can plant a cookie without the prefix, but not with it.
    const https = "https://login.example.com";
    using secure = await app({ issuer: https });
    const theirs = await token({ iss: https });
    expect((await secure.get("/me", cookie(theirs))).status).toBe(401);
    expect((await secure.get("/me", cookie(theirs, "__Host-sallyport_at"))).status).toBe(200);
  });
});
