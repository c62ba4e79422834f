import { afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import express5 from "express";
import { type RequireSessionOptions, requireScope, requireSession, sessionOf } from "../../../src/sdk/express/index.ts";
import { serve, versions } from "../support/express.ts";
import { APPLICATION, errorResponse, newKey, TestIssuer, type TestKey } from "../support/issuer.ts";

const AUDIENCE = "api.banking.example";
const OTHER = "018f3c4a-7b2e-7c1d-9e0a-000000000000";
let issuer: TestIssuer;
let key: TestKey;
let rsa: TestKey;

beforeAll(async () => {
  [key, rsa] = [await newKey("EdDSA"), await newKey("RS256")];
});
beforeEach(() => {
  issuer = new TestIssuer();
  issuer.keys = [key, rsa];
});
afterEach(async () => issuer[Symbol.asyncDispose]());

const token = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}, by = key) =>
  issuer.token(by, { aud: AUDIENCE, ...claims }, header);

describe.each(versions)("%s", (_name, express) => {
  const open = (options: RequireSessionOptions = {}) =>
    requireSession({ tenantUrl: issuer.url, audience: AUDIENCE, now: issuer.now, revocations: "poll", ...options });

  function app(options: RequireSessionOptions = {}) {
    const made = express();
    made.get("/public", (_request, response) => void response.send("open to anyone"));
    made.use(open(options));
    made.all("/me", (request, response) => {
      response.json({ sub: request.user?.sub ?? null, same: sessionOf(request) === (request.user ?? null) });
    });
    made.get("/read", requireScope("read"), (_request, response) => void response.json({ ok: true }));
    made.get("/both", requireScope(["read", "write"]), (_request, response) => void response.json({ ok: true }));
    return serve(made);
  }

  test("app-wide, as the quickstart shows it", async () => {
    using server = await app();
    expect(await (await server.get("/public")).text()).toBe("open to anyone");
    const answer = await server.get("/me", { authorization: `Bearer ${await token({ sub: "ada" })}` });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ sub: "ada", same: true });
  });

  test("per route, and one verifier for all routes of an application", async () => {
    const made = express();
    const options = { tenantUrl: issuer.url, audience: AUDIENCE, revocations: "poll" } as const;
    const auth = requireSession(options);
    issuer.time = Date.now();
    made.get("/public", (_request, response) => void response.json({ user: sessionOf(_request) }));
    made.get("/private", auth, (request, response) => void response.json({ user: request.user.sub }));
    const strong = requireSession({ ...options, aal: "aal2" });
    made.get("/pay", strong, (request, response) => void response.json({ user: request.user.sub }));
    using server = await serve(made);
    const bearer = { authorization: `Bearer ${await token({ sub: "ada", aal: "aal2" })}` };
    expect(await (await server.get("/public", bearer)).json()).toEqual({ user: null });
    expect(await (await server.get("/private", bearer)).json()).toEqual({ user: "ada" });
    expect(await (await server.get("/pay", bearer)).json()).toEqual({ user: "ada" });
    expect((await server.get("/private")).status).toBe(401);
    expect(issuer.count("/oauth2/jwks")).toBe(1);
  });

  const hs256 = (secret: string) => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = {
      iss: issuer.url,
      sub: "ada",
      sid: "s",
      aud: AUDIENCE,
      azp: APPLICATION,
      iat: 1,
      exp: 9e9,
      typ: "access",
    };
    const signed = `${part({ alg: "HS256", kid: rsa.kid, typ: "JWT" })}.${part(claims)}`;
    return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
  };
  const attacks: [string, () => Promise<string> | string, string | null][] = [
    ["nothing after Bearer", () => "", null],
    ["no token", () => "nonsense", "authentication_required"],
    ["another issuer", () => token({ iss: "https://evil.example" }), "authentication_required"],
    ["another tenant", () => token({ iss: `${issuer.url}/t/other` }), "authentication_required"],
    ["another audience", () => token({ aud: "api.other.example" }), "authentication_required"],
    ["the audience as a part of another", () => token({ aud: `${AUDIENCE}.evil.example` }), "authentication_required"],
    [
      "the application's own audience",
      () => token({ aud: `${issuer.url}/api/${APPLICATION}` }),
      "authentication_required",
    ],
    ["no application", () => token({ azp: undefined }), "authentication_required"],
    ["an ID token", () => token({ typ: "id" }), "authentication_required"],
    ["a refresh token's type", () => token({ typ: "refresh" }), "authentication_required"],
    ["an MFA token's type", () => token({ typ: "mfa" }), "authentication_required"],
    ["expired", () => token({ exp: issuer.seconds - 6 }), "token_expired"],
    ["not yet valid", () => token({ nbf: issuer.seconds + 60 }), "authentication_required"],
    ["no expiry", () => token({ exp: undefined }), "authentication_required"],
    ["an unpublished key", async () => token({}, {}, await newKey("EdDSA")), "authentication_required"],
    [
      "another algorithm's name",
      async () => (await token()).replace(/^[^.]+/, head({ alg: "RS256", kid: key.kid })),
      "authentication_required",
    ],
    [
      "alg none",
      async () => (await token()).replace(/^[^.]+/, head({ alg: "none", kid: key.kid })).replace(/[^.]+$/, ""),
      "authentication_required",
    ],
    ["HMAC with the public key", () => hs256(JSON.stringify(rsa.jwk)), "authentication_required"],
    ["HMAC with an empty key", () => hs256(""), "authentication_required"],
    ["a claim changed", async () => tampered(await token()), "authentication_required"],
    ["a secret key", () => "sally_sk_0123456789", "authentication_required"],
    ["a token and a half", async () => `${await token()} ${await token()}`, "authentication_required"],
    ["a huge token", () => "a".repeat(15_000), "authentication_required"],
  ];
  const head = (header: unknown) => Buffer.from(JSON.stringify(header)).toString("base64url");
  const tampered = (jwt: string) => {
    const [header, payload = "", signature] = jwt.split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    return `${header}.${head({ ...claims, sub: "admin" })}.${signature}`;
  };

  test.each(attacks)("refused: %s", async (_attack, make, code) => {
    using server = await app();
    const answer = await server.get("/me", { authorization: `Bearer ${await make()}` });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const challenge = answer.headers.get("www-authenticate") ?? "";
    if (code === null) expect(challenge).toBe("Bearer");
    else expect(challenge).toStartWith('Bearer error="invalid_token", error_description="');
    const { error } = (await answer.json()) as { error: Record<string, unknown> };
    expect(error.code).toBe(code ?? "authentication_required");
    expect(error.type).toBe("authentication_error");
    // The failed check would tell an attacker how far the forgery came.
    expect(error.details).toBeNull();
    expect(Object.keys(error).sort()).toEqual(["code", "details", "message", "request_id", "type"]);
  });

  test("no credential: a challenge without an error code (RFC 6750 section 3)", async () => {
    using server = await app();
    const answer = await server.get("/me");
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  });

  test("says that a token is revoked", async () => {
    issuer.revoke("sid", "s");
    using server = await app();
    const answer = await server.get("/me", { authorization: `Bearer ${await token({ sid: "s" })}` });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ error: { code: "token_revoked" } });
  });

  test("with an application, refuses another application's token for the same audience", async () => {
    const authorization = `Bearer ${await token({ azp: OTHER })}`;
    using any = await app();
    expect((await any.get("/me", { authorization })).status).toBe(200);
    using one = await app({ applicationId: APPLICATION });
    expect((await one.get("/me", { authorization })).status).toBe(401);
  });

  test("machines: refused, unless they are allowed", async () => {
    const authorization = `Bearer ${await token({ sub: APPLICATION, sid: undefined, aal: undefined })}`;
    using server = await app();
    const answer = await server.get("/me", { authorization });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ error: { code: "forbidden", type: "authorization_error" } });
    using open = await app({ allowMachines: true });
    expect((await open.get("/me", { authorization })).status).toBe(200);
    using strong = await app({ allowMachines: true, aal: "aal2" });
    expect((await strong.get("/me", { authorization })).status).toBe(401);
  });

  test.each<[RequireSessionOptions, Record<string, unknown>, number]>([
    [{ aal: "aal2" }, { aal: "aal1" }, 401],
    [{ aal: "aal2" }, { aal: null }, 401],
    [{ aal: "aal2" }, { aal: "aal2" }, 200],
    [{ aal: "aal1" }, { aal: "aal2" }, 200],
    [{ aal: "aal1" }, { aal: undefined }, 401],
    [{ maxAge: 300 }, { auth_time: -300 }, 200],
    [{ maxAge: 300 }, { auth_time: -306 }, 401],
    [{ maxAge: 300 }, { auth_time: undefined }, 401],
    [{ maxAge: 300 }, { auth_time: "now" }, 401],
    [{ aal: "aal2", maxAge: 300 }, { aal: "aal2", auth_time: -1_000 }, 401],
  ])("step-up: %j against %j is %d", async (options, claims, status) => {
    using server = await app(options);
    const { auth_time } = claims;
    const moved = typeof auth_time === "number" ? { ...claims, auth_time: issuer.seconds + auth_time } : claims;
    const answer = await server.get("/me", { authorization: `Bearer ${await token(moved)}` });
    expect(answer.status).toBe(status);
    if (status === 200) return;
    const challenge = answer.headers.get("www-authenticate") ?? "";
    expect(challenge).toStartWith('Bearer error="insufficient_user_authentication"');
    if (options.aal) expect(challenge).toContain(`acr_values="${options.aal}"`);
    if (options.maxAge) expect(challenge).toContain(`max_age="${options.maxAge}"`);
    const details = {
      ...(options.aal && { acr_values: options.aal }),
      ...(options.maxAge && { max_age: options.maxAge }),
    };
    expect(await answer.json()).toMatchObject({ error: { code: "insufficient_user_authentication", details } });
  });

  test.each([
    ["/read", "read", 200],
    ["/read", "write read", 200],
    ["/read", "reader", 403],
    ["/read", "", 403],
    ["/read", undefined, 403],
    ["/read", ["read"], 403],
    ["/both", "read", 403],
    ["/both", "read write", 200],
  ])("scope: %s with %j is %d", async (path, scope, status) => {
    using server = await app();
    const answer = await server.get(path, { authorization: `Bearer ${await token({ scope })}` });
    expect(answer.status).toBe(status);
    if (status === 200) return;
    const needed = path === "/read" ? "read" : "read write";
    expect(answer.headers.get("www-authenticate")).toContain(`error="insufficient_scope"`);
    expect(answer.headers.get("www-authenticate")).toContain(`scope="${needed}"`);
    expect(await answer.json()).toMatchObject({ error: { code: "insufficient_scope", details: { scope: needed } } });
  });

  test("requireScope without a session gives 401, whatever req.user holds", async () => {
    const made = express();
    made.use((request, _response, next) => {
      Object.assign(request, { user: { scope: "read" } });
      next();
    });
    made.get("/read", requireScope("read"), (_request, response) => void response.json({}));
    using server = await serve(made);
    expect((await server.get("/read")).status).toBe(401);
  });

  test("allowUnauthenticated: no credential passes, a bad header does not, a bad cookie counts as none", async () => {
    using server = await app({ allowUnauthenticated: true, aal: "aal2" });
    const answer = await server.get("/me");
    expect([answer.status, await answer.json()]).toEqual([200, { sub: null, same: true }]);
    expect((await server.get("/me", { authorization: "Bearer nonsense" })).status).toBe(401);
    const stale = await server.get("/me", { cookie: `sallyport_at=${await token({ exp: issuer.seconds - 60 })}` });
    expect(await stale.json()).toEqual({ sub: null, same: true });
    const forged = { cookie: `sallyport_at=${await token({ aal: "aal2" })}`, origin: "https://evil.example" };
    expect(await (await server.get("/me", forged, "POST")).json()).toEqual({ sub: null, same: true });
    // A user whose sign-in is too weak is told what is needed.
    expect((await server.get("/me", { cookie: `sallyport_at=${await token()}` })).status).toBe(401);
  });

  test("another middleware's user does not count as a session", async () => {
    const made = express();
    made.use((request, _response, next) => {
      Object.assign(request, { user: { sub: "admin" } });
      next();
    });
    made.use(open({ allowUnauthenticated: true }));
    made.get("/me", (request, response) => void response.json([request.user ?? null, sessionOf(request)]));
    using server = await serve(made);
    expect(await (await server.get("/me")).json()).toEqual([null, null]);
  });

  test("an appliance out of reach from the start gives 503, without its address", async () => {
    issuer.override = () => errorResponse(500, "internal_error", "api_error");
    using server = await app({ allowUnauthenticated: true });
    const answer = await server.get("/me", { cookie: `sallyport_at=${await token()}` });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("5");
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ error: { code: "overloaded", type: "api_error", details: null } });
    expect(text).not.toContain("localhost");
  });
});

describe("construction", () => {
  const tenantUrl = "http://localhost";
  test.each<[RequireSessionOptions, string]>([
    [{ audience: AUDIENCE }, "baseUrl is missing"],
    [{ tenantUrl }, "audience is missing. Pass it, or set SALLYPORT_API_AUDIENCE; or pass applicationId"],
    [{ tenantUrl, applicationId: "any" }, "audience is missing"],
    [{ tenantUrl, audience: APPLICATION }, "audience must be the aud of your tokens"],
    [{ tenantUrl, audience: AUDIENCE, applicationId: "nonsense" }, "applicationId must be a UUID"],
    [{ tenantUrl, audience: AUDIENCE, aal: "aal3" as "aal2" }, 'aal must be "aal1" or "aal2"'],
    [{ tenantUrl, audience: AUDIENCE, maxAge: Number.NaN }, "maxAge must be a number of seconds"],
    [{ tenantUrl, audience: AUDIENCE, scope: "a  b" }, "scope must be one or more scopes"],
    [{ tenantUrl, audience: AUDIENCE, cookie: "a b" }, "cookie must be a cookie's name"],
    [
      { tenantUrl, audience: AUDIENCE, allowedOrigins: ["https://a.example/"] },
      "allowedOrigins must be a list of origins",
    ],
    [{ tenantUrl, audience: AUDIENCE, allowedOrigins: ["*"] }, "allowedOrigins must be a list of origins"],
    [{ tenantUrl, audience: AUDIENCE, revocations: "push" as "poll" }, 'revocations must be one of "stream", "poll"'],
  ])("%j is refused", (options, message) => {
    expect(() => requireSession(options)).toThrow(message);
  });

  test("requireScope needs a scope, or it would accept every token", () => {
    expect(() => requireScope([])).toThrow("requireScope needs at least one scope");
    expect(() => requireScope("")).toThrow("scope must be one or more scopes");
  });

  test("needs only the environment, and checks the application that it names unless `any` is set", async () => {
    const { env } = process;
    process.env = {
      ...env,
      SALLYPORT_TENANT_URL: issuer.url,
      SALLYPORT_API_AUDIENCE: AUDIENCE,
      SALLYPORT_APP_ID: OTHER,
    };
    const made = express5();
    made.get("/own", requireSession({ now: issuer.now }), (_request, response) => void response.json({}));
    const any = requireSession({ now: issuer.now, applicationId: "any" });
    made.get("/any", any, (_request, response) => void response.json({}));
    process.env = env;
    using server = await serve(made);
    const authorization = `Bearer ${await token()}`;
    expect((await server.get("/own", { authorization })).status).toBe(401);
    expect((await server.get("/any", { authorization })).status).toBe(200);
  });
});
