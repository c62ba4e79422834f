import { expect, test } from "bun:test";
import { listenerOptions } from "../../src/http/server.ts";
import type { TestApp } from "../support/app.ts";
import { sendRaw } from "../support/raw-http.ts";
import { scenarios } from "../support/scenarios.ts";
import { claimsOf } from "../support/tokens.ts";

const hostOf = (app: TestApp) => new URL(app.publicUrl).host;

scenarios("the edge (ASVS 4.2.1, 13.2.5)", (t) => {
  t.test("a request line or Host that differs from the configuration gets 421", async (app) => {
    const host = hostOf(app);
    const path = "/v1/revocations";
    const refused: [string, string[]][] = [
      ["an unknown Host", [`GET ${path} HTTP/1.1`, "Host: evil.example"]],
      ["another port", [`GET ${path} HTTP/1.1`, "Host: localhost:1"]],
      ["a Host with credentials", [`GET ${path} HTTP/1.1`, `Host: user@${host}`]],
      ["a Host with two trailing dots", [`GET ${path} HTTP/1.1`, `Host: ${host.replace(":", "..:")}`]],
      ["a Host with an empty port", [`GET ${path} HTTP/1.1`, `Host: ${host.replace(/\d+$/, "")}`]],
      ["two Hosts, the right one first", [`GET ${path} HTTP/1.1`, `Host: ${host}`, "Host: evil.example"]],
      ["two Hosts, the right one last", [`GET ${path} HTTP/1.1`, "Host: evil.example", `Host: ${host}`]],
      ["the right Host twice", [`GET ${path} HTTP/1.1`, `Host: ${host}`, `Host: ${host}`]],
      ["the right authority with another Host", [`GET http://${host}${path} HTTP/1.1`, "Host: evil.example"]],
      ["a path that begins with two slashes", [`GET //evil.example${path} HTTP/1.1`, `Host: ${host}`]],
      ["two slashes before a known path", [`GET /${path} HTTP/1.1`, `Host: ${host}`]],
      ["X-Forwarded-Host does not help", [`GET ${path} HTTP/1.1`, "Host: evil.example", `X-Forwarded-Host: ${host}`]],
    ];
    for (const [name, lines] of refused) {
      const answer = await sendRaw(app, lines);
      expect([name, answer.status]).toEqual([name, 421]);
      expect(answer.text).toContain('"misdirected_request"');
    }
    expect((await sendRaw(app, [`GET ${path} HTTP/1.1`, `Host: ${host}`])).status).toBe(200);
    expect((await sendRaw(app, [`GET ${path} HTTP/1.1`, `Host: ${host.toUpperCase()}`])).status).toBe(200);
    expect((await sendRaw(app, [`GET ${path} HTTP/1.1`, `Host: ${host.replace(":", ".:")}`])).status).toBe(200);
    expect((await sendRaw(app, [`GET http://${host}${path} HTTP/1.1`, `Host: ${host}`])).status).toBe(200);
  });

  t.test(
    "an authority in the request line has no effect, because Bun passes on the Host (RFC 9112 section 3.2.2)",
    async (app) => {
      const { tokens } = await app.signedIn();
      const body = JSON.stringify({ refresh_token: tokens.refreshToken });
      const lines = [
        "POST http://evil.example/v1/auth/refresh HTTP/1.1",
        `Host: ${hostOf(app)}`,
        "Content-Type: application/json",
        `Content-Length: ${body.length}`,
      ];
      const { status, text } = await sendRaw(app, lines, body);
      expect(status).toBe(200);
      const { access_token: token } = JSON.parse(text.slice(text.indexOf("\r\n\r\n"))) as { access_token: string };
      expect(claimsOf(token).iss).toBe(app.publicUrl);
      expect(text).not.toContain("evil.example");
    },
  );

  t.test("a Host that the caller chose never gets into a token", async (app) => {
    const { tokens } = await app.signedIn();
    const answer = await app
      .client({ "x-forwarded-host": "evil.example", "x-forwarded-proto": "https", forwarded: "host=evil.example" })
      .post("/v1/auth/refresh", { refresh_token: tokens.refreshToken });
    expect(claimsOf(answer.body.access_token).iss).toBe(app.publicUrl);
  });

  t.test("ambiguous or oversized messages are refused by the server (ASVS 4.2.1)", async (app) => {
    const host = hostOf(app);
    const post = ["POST /v1/auth/login HTTP/1.1", `Host: ${host}`, "Content-Type: application/json"];
    const refused: [string, string[], string][] = [
      ["two lengths", [...post, "Content-Length: 2", "Content-Length: 3"], "{}x"],
      ["length and chunks", [...post, "Content-Length: 2", "Transfer-Encoding: chunked"], "0\r\n\r\n"],
      ["a negative length", [...post, "Content-Length: -1"], ""],
      ["64 kB of header", [...post, `X-Long: ${"x".repeat(65_536)}`], ""],
      ["64 kB of cookie", [...post, `Cookie: a=${"x".repeat(65_536)}`], ""],
      ["no Host", ["GET /v1/revocations HTTP/1.1"], ""],
      ["a header name with a space", [...post, "X Y: 1"], ""],
    ];
    for (const [name, lines, body] of refused) {
      const { status, text } = await sendRaw(app, lines, body);
      expect([name, status === 0 || (status >= 400 && status < 500), text.includes("access_token")]).toEqual([
        name,
        true,
        false,
      ]);
    }
    expect((await app.client().get("/healthz")).status).toBe(200);
  });

  t.test(
    "a request without a usable Host gets the envelope without source code, even at level debug and without a database (ASVS 16.5.1)",
    async (app) => {
      app.storage.probe = () => Promise.reject(new Error("the database is down"));
      const hosts = ["", "Host: [bad", "Host: a b", "Host: a:99999", "Host: "];
      for (const path of ["/healthz", "/readyz", "/v1/auth/session", "/nowhere", "/v1/revocations?cursor=x#y"]) {
        for (const version of ["HTTP/1.0", "HTTP/1.1"]) {
          for (const host of hosts) {
            const { status, text } = await sendRaw(app, [`GET ${path} ${version}`, ...(host === "" ? [] : [host])]);
            const place = `${path} ${version} ${host}: ${status}`;
            // Bun itself refuses HTTP/1.1 without a Host.
            if (version === "HTTP/1.1" && text.startsWith("HTTP/1.1 400")) continue;
            const expected = path === "/healthz" ? 200 : path === "/readyz" ? 500 : 421;
            expect([place, status]).toEqual([place, expected]);
            expect([place, text.length < 2_000, text.includes("<")]).toEqual([place, true, false]);
          }
        }
      }
    },
    { settings: { log_level: "debug" } },
  );

  test("an exception that no handler catches gets the envelope without source code", async () => {
    const server = Bun.serve({
      ...listenerOptions,
      port: 0,
      fetch: () => {
        throw new Error("a secret of the program");
      },
    });
    const answer = await fetch(server.url);
    expect(answer.status).toBe(500);
    const { error } = (await answer.json()) as { error: { code: string; request_id: string } };
    expect(error).toMatchObject({ code: "internal_error", details: null });
    expect(error.request_id).toMatch(/^[0-9a-f-]{36}$/);
    await server.stop(true);
  });

  t.test("every answer has the security headers (ASVS 3.4.3, 3.4.4, 3.4.5, 3.4.6)", async (app) => {
    const user = await app.user();
    const answers = [
      await app.client().post("/v1/auth/login", user.login),
      await app.client().get("/v1/auth/session"),
      await app.client().get("/nowhere"),
      await app.client().get("/healthz"),
      await app.client().query("auth.session"),
      await app.client({ host: "evil.example" }).get("/v1/auth/session"),
    ];
    for (const { headers, status } of answers) {
      expect([status, headers.get("cache-control")]).toEqual([status, "no-store"]);
      expect(headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("strict-transport-security")).toBeNull();
      expect(headers.get("content-type")).toBe("application/json");
      expect(headers.get("server")).toBeNull();
    }
    const document = await app.client().get("/.well-known/jwks.json");
    expect(document.headers.get("x-content-type-options")).toBe("nosniff");
  });

  t.test(
    "every answer under https has HSTS, also public documents (ASVS 3.4.1)",
    async (app) => {
      for (const path of [
        "/v1/auth/session",
        "/nowhere",
        "/.well-known/jwks.json",
        "/v1/revocations",
        "/openapi.json",
        "/healthz",
      ]) {
        const { headers } = await app.client().get(path);
        expect([path, headers.get("strict-transport-security")]).toEqual([path, "max-age=63072000"]);
      }
      const preflight = await app.client({ origin: "https://login.example.com" }).send("OPTIONS", "/v1/auth/login");
      expect(preflight.headers.get("strict-transport-security")).not.toBeNull();
    },
    { publicUrl: "https://login.example.com" },
  );

  for (const [hsts, header] of [
    ["off", null],
    ["subdomains", "max-age=63072000; includeSubDomains"],
  ] as const) {
    t.test(
      `with the setting hsts ${hsts}, every answer has ${header ?? "no HSTS"}`,
      async (app) => {
        for (const path of ["/v1/auth/session", "/nowhere", "/.well-known/jwks.json", "/healthz", "/"]) {
          const { headers } = await app.client().get(path);
          expect([path, headers.get("strict-transport-security")]).toEqual([path, header]);
        }
      },
      { publicUrl: "https://login.example.com", settings: { hsts } },
    );
  }

  t.test(
    "under https, the http form of an allowed origin or of the own origin is foreign",
    async (app) => {
      const user = await app.user();
      const login = (origin: string) => app.client({ origin }).post("/v1/auth/login", user.login);
      expect((await login("https://login.example.com")).status).toBe(200);
      for (const origin of ["http://login.example.com", "https://login.example.com:444", "https://localhost"]) {
        expect([origin, (await login(origin)).code]).toEqual([origin, "origin_not_allowed"]);
      }
    },
    { publicUrl: "https://login.example.com" },
  );

  t.test("no header bytes cause an internal error", async (app) => {
    const { tokens } = await app.signedIn();
    const body = JSON.stringify({ refresh_token: tokens.refreshToken });
    const values = [
      "\u00ff\u00fe",
      "\u0080",
      "a\tb",
      "😀",
      "' OR 1=1 --",
      "x".repeat(4_000),
      "$\u007bjndi:ldap://x}",
      "\u202e",
    ];
    for (const value of values) {
      for (const name of ["User-Agent", "X-Forwarded-For", "Accept-Language", "Cookie", "Referer"]) {
        const { status } = await sendRaw(
          app,
          [
            "POST /v1/auth/refresh HTTP/1.1",
            `Host: ${hostOf(app)}`,
            "Content-Type: application/json",
            `Content-Length: ${body.length}`,
            `${name}: ${value}`,
          ],
          body,
        );
        expect([name, value, [200, 400, 401].includes(status)]).toEqual([name, value, true]);
      }
    }
  });

  t.test("the server makes its own request ids and puts them into the envelope", async (app) => {
    const answer = await app.client({ "x-request-id": "mine" }).get("/v1/auth/session");
    const id = answer.headers.get("x-request-id");
    expect(id).not.toBe("mine");
    expect(answer.body.error.request_id).toBe(id ?? "");
  });
});
