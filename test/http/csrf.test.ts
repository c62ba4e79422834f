import { expect } from "bun:test";
import type { TestApp } from "../support/app.ts";
import { scenarios } from "../support/scenarios.ts";
import { APP_ORIGIN, PASSWORD } from "../support/template.ts";

type Headers = Record<string, string>;

/** Returns a browser with live cookies of the application, and without any other credential. */
async function browserOf(app: TestApp, applicationId = app.applicationId) {
  const { tokens } = await app.signedIn(applicationId);
  const suffix = applicationId === app.defaultApplicationId ? "" : `_${applicationId.slice(-12)}`;
  const cookie = `sallyport_at${suffix}=${tokens.accessToken}; sallyport_rt${suffix}=${tokens.refreshToken}`;
  return (headers: Headers) => app.client({ cookie, "x-application-id": applicationId, ...headers });
}

const FOREIGN: [string, Headers][] = [
  ["a foreign origin", { origin: "https://evil.example" }],
  [
    "a foreign origin that claims to be same-origin",
    { origin: "https://evil.example", "sec-fetch-site": "same-origin" },
  ],
  ["a null origin (sandbox, data URL)", { origin: "null" }],
  ["an empty origin", { origin: "" }],
  ["another port", { origin: `${APP_ORIGIN}:8443` }],
  ["http instead of https", { origin: "http://app.example.com" }],
  ["a suffix of the name", { origin: "https://notapp.example.com" }],
  ["a prefix of the name", { origin: `${APP_ORIGIN}.evil.example` }],
  ["upper case, which no browser sends", { origin: "https://APP.example.com" }],
  ["a trailing slash, which no browser sends", { origin: `${APP_ORIGIN}/` }],
  ["no origin, from a sibling site", { "sec-fetch-site": "same-site" }],
  ["no origin, from another site", { "sec-fetch-site": "cross-site" }],
  ["no origin, from a typed address", { "sec-fetch-site": "none" }],
];

scenarios("CSRF (ASVS 3.5.1, 3.5.3)", (t) => {
  t.test("a foreign page that uses or sets cookies gets 403 and changes nothing", async (app) => {
    const browser = await browserOf(app);
    const other = await app.signedIn();
    const changes: [string, string, unknown][] = [
      ["POST", "/v1/auth/register", { email: "eve@example.com", password: "walnut-bridge-otter-51" }],
      ["POST", "/v1/auth/login", other.user.login],
      ["POST", "/v1/auth/refresh", {}],
      ["POST", "/v1/auth/logout", { all: true }],
      ["DELETE", "/v1/auth/sessions", undefined],
      ["DELETE", `/v1/auth/sessions/${other.tokens.session.sid}`, undefined],
      ["POST", "/v1/auth/password/change", { current_password: PASSWORD, new_password: "walnut-bridge-otter-51" }],
      ["POST", "/trpc/auth.login", other.user.login],
      ["POST", "/trpc/auth.sessions.revokeOthers", undefined],
    ];
    const before = await app.state();
    for (const [place, headers] of FOREIGN) {
      for (const [method, path, json] of changes) {
        const answer = await browser(headers).send(method, path, json === undefined ? {} : { json });
        expect([place, path, answer.status]).toEqual([place, path, 403]);
        expect(answer.text).toContain("origin_not_allowed");
        expect(answer.cookies).toEqual([]);
        expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      }
    }
    expect(await app.state()).toBe(before);
  });

  t.test("the pages of the application and of the appliance may use cookies", async (app) => {
    const allowed: Headers[] = [
      { origin: APP_ORIGIN, "sec-fetch-site": "cross-site" },
      { origin: app.publicUrl, "sec-fetch-site": "same-origin" },
      { "sec-fetch-site": "same-origin" },
      {},
    ];
    for (const headers of allowed) {
      const browser = await browserOf(app);
      expect((await browser(headers).post("/v1/auth/refresh")).status).toBe(200);
      expect((await browser(headers).post("/v1/auth/logout")).status).toBe(200);
    }
  });

  t.test("an origin of one application is foreign to another", async (app) => {
    const browser = await browserOf(app, app.defaultApplicationId);
    const refused = await browser({ origin: APP_ORIGIN }).post("/v1/auth/logout");
    expect([refused.status, refused.code]).toEqual([403, "origin_not_allowed"]);
  });

  t.test("a Bearer token needs no origin, because no foreign page has it", async (app) => {
    const { tokens } = await app.signedIn();
    const anywhere = app.client({ origin: "https://evil.example" }).bearer(tokens.accessToken);
    expect((await anywhere.delete("/v1/auth/sessions")).status).toBe(200);
    expect((await anywhere.post("/v1/auth/logout")).status).toBe(200);
  });

  t.test("a content type that needs no preflight gets 415, even from the right page (ASVS 3.5.2)", async (app) => {
    const browser = await browserOf(app);
    const user = await app.user();
    const before = await app.state();
    const json = JSON.stringify(user.login);
    const types: [string, BodyInit][] = [
      ["text/plain", json],
      ["text/plain;charset=UTF-8", json],
      ["application/x-www-form-urlencoded", new URLSearchParams(user.login).toString()],
      ["multipart/form-data; boundary=x", `--x\r\n\r\n${json}\r\n--x--`],
      ["application/json-seq", json],
      ["application/jsonp", json],
      ["application/json, text/plain", json],
      ["text/json", json],
      ["", json],
    ];
    for (const [type, body] of types) {
      for (const path of ["/v1/auth/login", "/v1/auth/refresh", "/v1/auth/logout", "/trpc/auth.login"]) {
        const answer = await browser({ origin: APP_ORIGIN, "content-type": type }).post(path, undefined, { body });
        expect([type, path, answer.status]).toEqual([type, path, 415]);
      }
    }
    expect(await app.state()).toBe(before);
  });

  t.test("tRPC never refreshes by cookie", async (app) => {
    const browser = await browserOf(app);
    const before = await app.state();
    const refused = await browser({ origin: APP_ORIGIN }).mutate("auth.refresh");
    expect([refused.status, refused.body.error.code]).toEqual([401, -32001 as never]);
    expect(await app.state()).toBe(before);
  });

  t.test("GET changes nothing for any caller, and cannot replace POST (ASVS 3.5.3, 4.1.4)", async (app) => {
    const browser = await browserOf(app);
    const before = await app.state();
    for (const path of ["/v1/auth/login", "/v1/auth/logout", "/v1/auth/refresh", "/v1/auth/password/change"]) {
      const refused = await browser({}).get(path);
      expect([refused.status, refused.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
      expect(refused.body.error.message).toBe("Use POST for this address.");
      const overridden = await browser({ "x-http-method-override": "POST", "x-method-override": "POST" }).get(
        `${path}?_method=POST`,
      );
      expect(overridden.status).toBe(405);
    }
    for (const name of ["auth.logout", "auth.login", "auth.sessions.revokeOthers"]) {
      expect((await browser({}).query(name, {})).status).toBe(405);
    }
    expect((await browser({}).mutate("auth.session")).status).toBe(405);
    for (const method of ["PUT", "PATCH", "PROPFIND"]) {
      expect([method, (await browser({}).send(method, "/v1/auth/session")).status]).toEqual([method, 405]);
    }
    expect(await app.state()).toBe(before);
  });
});
