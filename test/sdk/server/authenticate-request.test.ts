import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type AuthenticationOptions, SallyportServer } from "../../../src/sdk/server/index.ts";
import { APPLICATION, newKey, TestIssuer, type TestKey } from "../support/issuer.ts";

/** The Express tests cover the shared rules in full. These cover the rules for Request and Response alone. */
let issuer: TestIssuer;
let key: TestKey;
let server: SallyportServer;
let token: string;

beforeAll(async () => {
  issuer = new TestIssuer();
  key = await newKey("EdDSA");
  issuer.keys = [key];
  server = new SallyportServer({
    baseUrl: issuer.url,
    applicationId: APPLICATION,
    now: issuer.now,
    revocations: "poll",
  });
  token = await issuer.token(key);
});
afterAll(async () => {
  server.close();
  await issuer[Symbol.asyncDispose]();
});

const SITE = "https://shop.example.com";
const request = (headers: Record<string, string>, method = "GET") => new Request(`${SITE}/orders`, { method, headers });

async function ask(made: Request, options: AuthenticationOptions = {}): Promise<string> {
  const { claims, error, response } = await server.authenticateRequest(made, options);
  if (claims) {
    expect([error, response]).toEqual([null, null]);
    return "accepted";
  }
  if (!error) return "nobody";
  expect(response.headers.get("content-type")).toBe("application/json");
  const body = (await response.json()) as { error: { code: string } };
  return `${response.status} ${body.error.code}`;
}

describe("authenticateRequest", () => {
  test("returns claims, which the handler's check narrows", async () => {
    const answer = await server.authenticateRequest(request({ authorization: `Bearer ${token}` }));
    if (answer.error) throw answer.error;
    expect(answer.claims.sub).toBe("018f3c4a-0000-7000-8000-000000000001");
  });

  const cookie = () => ({ cookie: `sallyport_at=${token}` });
  test.each<[string, () => Request, AuthenticationOptions, string]>([
    ["header", () => request({ authorization: `Bearer ${token}` }, "POST"), {}, "accepted"],
    ["nothing", () => request({}), {}, "401 authentication_required"],
    ["no credential, which is allowed", () => request({}), { allowUnauthenticated: true }, "nobody"],
    ["an empty header", () => request({ authorization: "", ...cookie() }), {}, "401 authentication_required"],
    ["cookie", () => request(cookie()), {}, "accepted"],
    ["a cookie, turned off", () => request(cookie()), { cookie: false }, "401 authentication_required"],
    ["a change by cookie", () => request(cookie(), "POST"), {}, "403 origin_not_allowed"],
    ["from its own page", () => request({ ...cookie(), origin: SITE }, "POST"), {}, "accepted"],
    [
      "from another page",
      () => request({ ...cookie(), origin: "https://evil.example" }, "POST"),
      {},
      "403 origin_not_allowed",
    ],
    [
      "from an allowed page",
      () => request({ ...cookie(), origin: "https://app.example.com", "sec-fetch-site": "same-site" }, "POST"),
      { allowedOrigins: ["https://app.example.com"] },
      "accepted",
    ],
    ["too weak", () => request(cookie()), { aal: "aal2" }, "401 insufficient_user_authentication"],
    ["without a scope", () => request(cookie()), { scope: "orders:write" }, "403 insufficient_scope"],
    ["with a scope", () => request(cookie()), { scope: "account" }, "accepted"],
  ])("%s", async (_name, make, options, expected) => {
    expect(await ask(make(), options)).toBe(expected);
  });

  test("behind Bun.serve, the Host is the page's own", async () => {
    using site = Bun.serve({
      port: 0,
      fetch: async (made) => {
        const { claims, response } = await server.authenticateRequest(made);
        return response ?? Response.json({ sub: claims.sub });
      },
    });
    const url = `http://localhost:${site.port}`;
    const post = (origin: string) => fetch(url, { method: "POST", headers: { ...cookie(), origin } });
    expect((await post(url)).status).toBe(200);
    expect((await post("http://localhost")).status).toBe(403);
    const refused = await fetch(url);
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  });

  test("throws for a wrong option instead of answering", async () => {
    expect(server.authenticateRequest(request({}), { maxAge: -1 })).rejects.toThrow("maxAge must be");
  });
});
