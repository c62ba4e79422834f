import { describe, expect, test } from "bun:test";
import { SallyportServer, type SallyportServerOptions } from "../../../src/sdk/server/index.ts";
import { APPLICATION, errorResponse, newKey, TestIssuer } from "../support/issuer.ts";
import { outcome } from "../support/refusal.ts";

const API_KEY = "sally_sk_example";

describe("construction", () => {
  test.each<[SallyportServerOptions, string]>([
    [{ applicationId: APPLICATION }, "baseUrl is missing. Pass it, or set SALLYPORT_URL."],
    [{ baseUrl: "http://localhost" }, "applicationId is missing. Pass it, or set SALLYPORT_APP_ID."],
    [{ baseUrl: "ftp://localhost", applicationId: APPLICATION }, "baseUrl must be an http or https address"],
    [{ baseUrl: "http://localhost", applicationId: "app_x" }, "applicationId must be a UUID"],
    [{ baseUrl: "http://localhost", applicationId: APPLICATION, leeway: 3_600 }, "leeway must be"],
    [{ baseUrl: "http://localhost", applicationId: APPLICATION, onStale: "maybe" as "deny" }, "onStale must be"],
  ])("%j is refused", (options, message) => {
    expect(() => new SallyportServer(options)).toThrow(message);
  });

  test("reads the environment, and needs only a tenant URL", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    const tenantUrl = `${issuer.url}/t/acme`;
    const { env } = process;
    process.env = { ...env, SALLYPORT_TENANT_URL: `${tenantUrl}/`, SALLYPORT_APP_ID: "app_01HWY4MYSEFGESW2GZ5CY4TQKF" };
    const server = new SallyportServer({ now: issuer.now });
    process.env = env;
    const mine = await issuer.token(key, { iss: tenantUrl, aud: `${tenantUrl}/api/${APPLICATION}` });
    expect(await outcome(server.verifyToken(mine))).toBe("accepted");
    // To this tenant, the default tenant's issuer is another one.
    const other = await issuer.token(key, { aud: `${tenantUrl}/api/${APPLICATION}` });
    expect(await outcome(server.verifyToken(other))).toBe("authentication_required/issuer");
    server.close();
  });

  test("a configured audience replaces the default one", async () => {
    await using issuer = new TestIssuer();
    const key = await newKey("EdDSA");
    issuer.keys = [key];
    const audience = "api.banking.example";
    const server = new SallyportServer({ baseUrl: issuer.url, applicationId: APPLICATION, audience, now: issuer.now });
    expect(await outcome(server.verifyToken(await issuer.token(key, { aud: audience })))).toBe("accepted");
    expect(await outcome(server.verifyToken(await issuer.token(key)))).toBe("authentication_required/audience");
    server.close();
  });

  test("makes no request by itself", async () => {
    await using issuer = new TestIssuer();
    new SallyportServer({ baseUrl: issuer.url, applicationId: APPLICATION });
    await Bun.sleep(0);
    expect(issuer.requests).toEqual([]);
  });
});

describe("management calls", () => {
  test("carry the key and name the application", async () => {
    await using issuer = new TestIssuer();
    const seen: string[] = [];
    issuer.override = (request) => {
      seen.push(request.url, request.headers.get("authorization") ?? "", request.headers.get("x-application-id") ?? "");
      return Response.json({ data: [], next_cursor: null });
    };
    const server = new SallyportServer({ baseUrl: issuer.url, applicationId: APPLICATION, apiKey: API_KEY });
    expect(await server.users.list({ limit: 50, cursor: "a&b", search: null })).toEqual({
      data: [],
      next_cursor: null,
    });
    expect(seen).toEqual([`${issuer.url}/v1/users?limit=50&cursor=a%26b`, `Bearer ${API_KEY}`, APPLICATION]);
  });

  test("reach any path, with a body", async () => {
    await using issuer = new TestIssuer();
    let body = "";
    issuer.override = (request) => {
      if (request.method !== "POST") return undefined;
      return request.text().then((text) => {
        body = text;
        return Response.json({ id: "k" }, { status: 201 });
      });
    };
    const server = new SallyportServer({ baseUrl: issuer.url, applicationId: APPLICATION, apiKey: API_KEY });
    const created = await server.request("POST", "/v1/api-keys", { body: { name: "production", scopes: ["admin"] } });
    expect(created).toEqual({ id: "k" });
    expect(JSON.parse(body)).toEqual({ name: "production", scopes: ["admin"] });
  });

  test("without a key are refused before a request; the appliance's refusal is passed on", async () => {
    await using issuer = new TestIssuer();
    const without = new SallyportServer({ baseUrl: issuer.url, applicationId: APPLICATION });
    expect(await outcome(without.users.list())).toBe("configuration_error");
    expect(issuer.requests).toEqual([]);
    issuer.override = () => errorResponse(403, "insufficient_scope", "authorization_error");
    const server = new SallyportServer({ baseUrl: issuer.url, applicationId: APPLICATION, apiKey: API_KEY });
    const error = await server.users.list().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "insufficient_scope", status: 403, requestId: "req-9" });
  });

  test("do not carry the key to a redirect's target", async () => {
    await using issuer = new TestIssuer();
    await using attacker = new TestIssuer();
    issuer.override = () => Response.redirect(`${attacker.url}/v1/users`, 307);
    const server = new SallyportServer({ baseUrl: issuer.url, applicationId: APPLICATION, apiKey: API_KEY });
    expect(await outcome(server.users.list())).toBe("unexpected_response");
    expect(attacker.requests).toEqual([]);
  });
});
