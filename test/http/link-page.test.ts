import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startApp, type TestApp } from "../support/app.ts";
import { allowMail, completeBy, mailedLink } from "../support/mailed-links.ts";

const PAGE_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; " +
  "script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";

/** Returns the addresses that a page or a module refers to. */
function addressesIn(text: string): string[] {
  return [...text.matchAll(/(?:\s(?:href|src)=|\bfrom\s*)"([^"]*)"/g)].map((match) => match[1] ?? "");
}

describe("the page that mailed links open", () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  test("is one page for every link, under a policy without inline code or other origins (ASVS 3.4.3, 3.4.4, 3.4.5, 3.4.6)", async () => {
    for (const path of ["/link", "/t/default/link", "/t/acme/link"]) {
      const { status, headers, text } = await app.client().get(path);
      expect(status).toBe(200);
      expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(headers.get("content-security-policy")).toBe(PAGE_POLICY);
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("set-cookie")).toBeNull();
      expect(text).not.toContain("{{");
      expect(text).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:/i);
    }
  });

  test("has assets of the right type that can be cached for ever, and that refer only to existing files", async () => {
    const { text } = await app.client().get("/link");
    const queue = addressesIn(text);
    const seen = new Set<string>();
    for (let address = queue.pop(); address !== undefined; address = queue.pop()) {
      if (seen.has(address)) continue;
      seen.add(address);
      expect(address).toMatch(/^\/(assets\/(?:kit|link(?:-[a-z-]+)?)-[\w-]{16}\.(js|css)|favicon\.svg)$/);
      const file = await app.client().get(address);
      const type = address.endsWith(".js") ? "text/javascript; charset=utf-8" : /^(text\/css|image\/svg)/;
      expect([address, file.status, file.headers.get("content-type")]).toEqual([
        address,
        200,
        expect.stringMatching(type),
      ]);
      if (address.startsWith("/assets/")) expect(file.headers.get("cache-control")).toContain("immutable");
      if (address.endsWith(".js")) queue.push(...addressesIn(file.text));
      expect(file.text).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
    }
    expect([...seen].filter((address) => address.endsWith(".js"))).toHaveLength(5);
  });

  test("keeps a link valid when a scanner sends GET and HEAD, and refuses other methods (ASVS 3.5.3)", async () => {
    await allowMail(app);
    const user = await app.user();
    const proof = await mailedLink(app, user);
    const state = await app.state();
    const { text } = await app.client().get("/link");
    for (const path of ["/link", "/t/default/link", ...addressesIn(text)]) {
      for (const method of ["GET", "HEAD"]) {
        const answer = await app.client({ "user-agent": "Mail scanner" }).send(method, path);
        expect([method, path, answer.status, answer.cookies]).toEqual([method, path, 200, []]);
      }
    }
    for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
      expect((await app.client().send(method, "/link", { json: proof })).status).toBe(405);
    }
    expect(await app.state()).toBe(state);
    expect((await completeBy(app.client(), proof)).status).toBe(200);
  });

  test("answers 304 to a caller that already has it", async () => {
    const { headers } = await app.client().get("/link");
    const again = await app.client().get("/link", { headers: { "if-none-match": headers.get("etag") ?? "" } });
    expect([again.status, again.headers.get("content-security-policy")]).toEqual([304, PAGE_POLICY]);
  });
});
