import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";

const BROWSER = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };
const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** Returns the addresses that a page refers to by `href` and `src`. */
function addressesIn(page: string): string[] {
  return [...page.matchAll(/\s(?:href|src)="([^"]*)"/g)].map((match) => match[1] ?? "");
}

function stylesheetOf(page: string): string {
  return addressesIn(page).find((address) => address.endsWith(".css")) ?? "no stylesheet";
}

describe("the welcome page", () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());
  const get = (path: string, headers: Record<string, string> = {}) => app.client().get(path, { headers });

  test("is shown to a browser, under a policy without inline code or other origins (ASVS 3.4.3, 3.4.4, 3.4.5, 3.4.6)", async () => {
    const { status, headers, text } = await get("/", BROWSER);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(headers.get("content-security-policy")).toBe(PAGE_POLICY);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("strict-transport-security")).toBeNull();
    expect(headers.get("cache-control")).toBe("no-cache");
    expect(headers.get("vary")).toBe("accept");
    expect(headers.get("set-cookie")).toBeNull();
    expect(text).toContain("<!doctype html>");
    expect(text).toContain("version 0.0.0-test");
    expect(text).toContain(app.publicUrl);
    expect(text).not.toContain("{{");
  });

  test("needs nothing that its policy forbids", async () => {
    const { text } = await get("/", BROWSER);
    expect(text).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:/i);
    const addresses = addressesIn(text);
    expect(addresses.length).toBeGreaterThan(4);
    for (const address of addresses) expect(address).toMatch(/^(\/(?!\/)|#)/);
    const stylesheet = await get(stylesheetOf(text));
    expect(stylesheet.text).not.toMatch(/@import|url\(|@font-face/);
  });

  test("links only to existing addresses", async () => {
    const { text } = await get("/", BROWSER);
    for (const address of addressesIn(text)) {
      if (address.startsWith("#")) expect(text).toContain(`id="${address.slice(1)}"`);
      else expect([address, (await get(address)).status]).toEqual([address, 200]);
    }
  });

  test("shows a command that works when pasted", async () => {
    const { text } = await get("/", BROWSER);
    const command = /<code>(curl [\s\S]*?)<\/code>/.exec(text)?.[1] ?? "";
    const parts = /^curl (\S+) -H '([^:]+): ([^']+)' \\\n {2}-d '([^']+)'$/.exec(command);
    const [, address = "", name = "", value = "", body = ""] = parts ?? [];
    expect(address.startsWith(`${app.publicUrl}/`)).toBe(true);
    const answer = await app.client().post(address.slice(app.publicUrl.length), undefined, {
      headers: { [name]: value },
      body,
    });
    expect(answer.status).toBe(201);
  });

  test("shows no id, no secret and no internal state", async () => {
    const before = await get("/", BROWSER);
    const json = await get("/");
    for (const { text } of [before, json]) {
      expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-|(?:ten|app|usr|key)_|sally_/i);
      for (const secret of app.secrets) expect(text).not.toContain(secret);
    }
    await app.signedIn();
    expect((await get("/", BROWSER)).headers.get("etag")).toBe(before.headers.get("etag"));
  });

  test("is a summary in JSON unless the caller asks for HTML", async () => {
    for (const accept of ["*/*", "application/json", "application/json, text/html;q=0.9", "text/html;q=0", ""]) {
      const { status, headers, text } = await get("/", { accept });
      expect([accept, status, headers.get("content-type")]).toEqual([accept, 200, "application/json"]);
      expect(headers.get("vary")).toBe("accept");
      expect(JSON.parse(text)).toEqual({
        name: "Sallyport",
        version: "0.0.0-test",
        links: {
          api_description: `${app.publicUrl}/openapi.json`,
          public_keys: `${app.publicUrl}/.well-known/jwks.json`,
          health: `${app.publicUrl}/healthz`,
        },
      });
    }
    for (const accept of ["text/html", "TEXT/HTML;q=0.5, */*;q=0.1", "application/json;q=0.5, text/html"]) {
      expect([accept, (await get("/", { accept })).text.slice(0, 9)]).toEqual([accept, "<!doctype"]);
    }
  });

  test("and its files get 304 for a caller that has them, and only then (RFC 9110 section 13.1.2)", async () => {
    const page = await get("/", BROWSER);
    const others = { html: page.headers.get("etag"), json: (await get("/")).headers.get("etag") };
    expect(others.html).not.toBe(others.json);
    for (const [path, headers] of [
      ["/", BROWSER],
      ["/", {}],
      ["/favicon.svg", {}],
      [stylesheetOf(page.text), {}],
    ] as const) {
      const whole = await get(path, headers);
      const etag = whole.headers.get("etag") ?? "";
      expect(etag).toMatch(/^"[\w-]{43}"$/);
      for (const known of [etag, `"other", ${etag}`, `W/${etag}`, "*"]) {
        const answer = await get(path, { ...headers, "if-none-match": known });
        expect([path, known, answer.status, answer.text]).toEqual([path, known, 304, ""]);
        for (const name of ["etag", "cache-control", "vary", "content-security-policy"]) {
          expect(answer.headers.get(name)).toBe(whole.headers.get(name));
        }
      }
      expect((await get(path, { ...headers, "if-none-match": '"other"' })).status).toBe(200);
    }
    const crossed = await get("/", { "if-none-match": others.html ?? "" });
    expect(crossed.status).toBe(200);
  });

  test("answers HEAD with the headers of GET and no body, and refuses other methods", async () => {
    for (const headers of [BROWSER, {}]) {
      const whole = await get("/", headers);
      const head = await app.client().send("HEAD", "/", { headers });
      expect([head.status, head.text]).toEqual([200, ""]);
      for (const name of ["etag", "content-type", "content-security-policy", "vary"]) {
        expect(head.headers.get(name)).toBe(whole.headers.get(name));
      }
      expect(head.headers.get("content-length")).toBe(String(Buffer.byteLength(whole.text)));
    }
    const refused = await app.client().post("/");
    expect([refused.status, refused.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  });

  test("has a stylesheet that can be cached for ever, because its address changes with its content", async () => {
    const path = stylesheetOf((await get("/", BROWSER)).text);
    const { headers } = await get(path);
    expect(path).toMatch(/^\/assets\/kit-[\w-]{16}\.css$/);
    expect(headers.get("etag")?.slice(1, 17)).toBe(path.slice("/assets/kit-".length, -".css".length));
    expect(headers.get("content-type")).toBe("text/css; charset=utf-8");
    expect(headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect((await get("/assets/welcome-AAAAAAAAAAAAAAAA.css")).status).toBe(404);
  });

  test("has its icon where browsers look for it", async () => {
    const mark = await get("/favicon.svg");
    expect(mark.headers.get("content-type")).toBe("image/svg+xml");
    expect(mark.headers.get("content-security-policy")).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(mark.text).toContain("<svg");
    const asked = await get("/favicon.ico");
    expect([asked.status, asked.headers.get("location")]).toEqual([308, "/favicon.svg"]);
  });

  test("does not exist under a tenant's path", async () => {
    expect((await get("/t/default/", BROWSER)).status).toBe(404);
  });
});

describe("the address that the page shows", () => {
  const PUBLIC_URL = "https://login.example.com";
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({ publicUrl: PUBLIC_URL, settings: { tenant_hosts: "login.acme.example=acme" } });
  });
  afterAll(() => app.close());

  test("is the configured one for every request", async () => {
    const forwarded = {
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "gopher",
      forwarded: "host=evil.example",
    };
    for (const headers of [BROWSER, {}]) {
      const { status, text } = await app.client().get("/", { headers: { ...headers, ...forwarded } });
      expect(status).toBe(200);
      expect(text).toContain(`${PUBLIC_URL}/`);
      expect(text).not.toMatch(/evil|gopher|127\.0\.0\.1|localhost/);
    }
    expect((await app.client({ host: "evil.example" }).get("/", { headers: BROWSER })).status).toBe(421);
  });

  test("is that of the tenant on a tenant's Host", async () => {
    const client = app.client({ host: "login.acme.example" });
    expect((await client.get("/", { headers: BROWSER })).text).toContain(`curl ${PUBLIC_URL}/t/acme/v1/auth/register `);
    expect(JSON.parse((await client.get("/")).text).links).toEqual({
      api_description: `${PUBLIC_URL}/t/acme/openapi.json`,
      public_keys: `${PUBLIC_URL}/t/acme/.well-known/jwks.json`,
      health: `${PUBLIC_URL}/healthz`,
    });
  });

  test("under https, the page and its files have HSTS (ASVS 3.4.1)", async () => {
    const page = await app.client().get("/", { headers: BROWSER });
    const others = [stylesheetOf(page.text), "/", "/favicon.svg", "/favicon.ico"].map((path) => app.client().get(path));
    for (const { headers } of [page, ...(await Promise.all(others))]) {
      expect(headers.get("strict-transport-security")).toBe("max-age=63072000");
    }
  });
});
