import { expect } from "bun:test";
import type { TestApp } from "../support/app.ts";
import { scenarios } from "../support/scenarios.ts";

/** Tries to sign in from a page, with the cookies that come with it. */
async function statusOf(app: TestApp, applicationId: string, origin: string): Promise<number> {
  const user = await app.user();
  const client = app.client({ origin, "x-application-id": applicationId });
  const answer = await client.post("/v1/auth/login", user.login);
  const readable = answer.headers.get("access-control-allow-origin");
  expect([origin, readable]).toEqual([origin, answer.status === 200 ? origin : null]);
  const preflight = await client.send("OPTIONS", "/v1/auth/login");
  expect([origin, preflight.status]).toEqual([origin, answer.status === 200 ? 204 : 403]);
  return answer.status;
}

const create = (app: TestApp, origins: string[]) => app.application({ origins }, app.tenantId);

scenarios("an allowed origin", (t) => {
  t.test("with a star stands for exactly one label (CSRF, ASVS 3.4.2)", async (app) => {
    const id = await create(app, ["https://*.shop.example", "https://*.shop.example:8443", "http://*.localhost:3000"]);
    for (const origin of [
      "https://a.shop.example",
      "https://a-1.shop.example",
      "https://xn--bcher-kva.shop.example",
      "https://a.shop.example:8443",
      "http://acme.localhost:3000",
    ]) {
      expect([origin, await statusOf(app, id, origin)]).toEqual([origin, 200]);
    }
    for (const origin of [
      "https://shop.example",
      "https://a.b.shop.example",
      "https://.shop.example",
      "https://*.shop.example",
      "http://a.shop.example",
      "https://a.shop.example:444",
      "https://a.shop.example.evil.example",
      "https://evil.example/.shop.example",
      "https://evil.example?.shop.example",
      "https://evilshop.example",
      "https://x@a.shop.example",
      "https://A.shop.example",
      "https://a.shop.example/",
      "http://acme.localhost",
      "null",
    ]) {
      expect([origin, await statusOf(app, id, origin)]).toEqual([origin, 403]);
    }
  });

  t.test("with a star is not among the related origins, which browsers read literally", async (app) => {
    await create(app, ["https://*.shop.example", "https://shop.example"]);
    const { body } = await app.client().get("/.well-known/webauthn");
    const { origins } = body as unknown as { origins: string[] };
    expect(origins).toContain("https://shop.example");
    expect(origins.filter((origin) => origin.includes("*"))).toEqual([]);
  });

  t.test("may be that of an app or of an extension, exactly", async (app) => {
    const origins = [
      "tauri://localhost",
      "capacitor://localhost",
      "ionic://localhost",
      "app://-",
      "chrome-extension://aaaabbbbccccddddeeeeffffgggghhhh",
      "moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc",
      "safari-web-extension://4F9A2D6B-8C3E-4E57-9B0A-1D2C3B4A5F60",
    ];
    const id = await create(app, origins);
    for (const origin of origins) expect([origin, await statusOf(app, id, origin)]).toEqual([origin, 200]);
    for (const origin of ["tauri://evil", "tauri://localhost:1", "https://localhost", "capacitor://", "file://"]) {
      expect([origin, await statusOf(app, id, origin)]).toEqual([origin, 403]);
    }
  });

  t.test("is refused if it can match nothing, or pages that anyone can make", async (app) => {
    for (const origin of [
      "https://*",
      "https://*.com",
      "https://*.*.example.com",
      "https://a.*.example.com",
      "https://a*.example.com",
      "https://**.example.com",
      "https://*.192.0.2.1",
      "https://*.example.com/",
      "https://*.Example.com",
      "*",
      "*://example.com",
      "*.example.com",
      "tauri://*",
      "tauri://localhost/",
      "tauri://",
      "null",
      "file://",
      "file://host",
      "data://x",
      "javascript://x",
      "blob://x",
      "ftp://example.com",
      "https://app.example.com/",
      "https://APP.example.com",
      "https://user@example.com",
      "",
    ]) {
      const making = create(app, [origin]);
      await expect(making, `${origin} was accepted`).rejects.toMatchObject({ code: "invalid_input" });
    }
  });
});

scenarios("a page of an allowed origin", (t) => {
  t.test("can read that a path or a method does not exist, and no other page can", async (app) => {
    await create(app, ["https://page.example"]);
    for (const [method, path, status] of [
      ["GET", "/v1/nothing", 404],
      ["POST", "/nothing", 404],
      ["DELETE", "/v1/auth/login", 405],
    ] as const) {
      const known = await app.client({ origin: "https://page.example" }).send(method, path);
      expect([path, known.status, known.headers.get("access-control-allow-origin"), known.headers.get("vary")]).toEqual(
        [path, status, "https://page.example", "origin"],
      );
      const preflight = await app.client({ origin: "https://page.example" }).send("OPTIONS", path);
      expect([path, preflight.status]).toEqual([path, 204]);
      const foreign = await app.client({ origin: "https://evil.example" }).send(method, path);
      expect([path, foreign.status, foreign.headers.get("access-control-allow-origin")]).toEqual([path, status, null]);
      expect(foreign.headers.get("vary")).toBe("origin");
    }
    expect((await app.client().send("OPTIONS", "/nothing")).status).toBe(404);
  });

  t.test(
    "may send the headers that cors_headers lists, beside those of the API",
    async (app) => {
      await create(app, ["https://page.example"]);
      const answer = await app.client({ origin: "https://page.example" }).send("OPTIONS", "/v1/auth/login");
      const allowed = answer.headers.get("access-control-allow-headers")?.split(", ") ?? [];
      expect(allowed).toContain("authorization");
      expect(allowed).toContain("x-datadog-trace-id");
      expect(allowed).toContain("sentry-trace");
      expect(allowed).not.toContain("traceparent");
    },
    { settings: { cors_headers: "X-Datadog-Trace-Id, sentry-trace" } },
  );

  t.test("may send the headers of W3C Trace Context without a setting", async (app) => {
    await create(app, ["https://page.example"]);
    const answer = await app.client({ origin: "https://page.example" }).send("OPTIONS", "/v1/auth/login");
    expect(answer.headers.get("access-control-allow-headers")).toContain("traceparent, tracestate, baggage");
  });
});
