import { describe, expect, test } from "bun:test";
import { asset, escapeHtml, fileHandler, pageHandler, renderPage } from "../../src/http/assets.ts";
import type { Exchange } from "../../src/http/edge.ts";

describe("the values in a page", () => {
  const hostile = `"><script src='//evil.example'>alert(1)</script>&amp;`;

  test("cannot end a text or a quoted attribute", () => {
    const escaped = escapeHtml(hostile);
    expect(escaped).not.toMatch(/[<>"']/);
    expect(escaped).toBe("&quot;&gt;&lt;script src=&#39;//evil.example&#39;&gt;alert(1)&lt;/script&gt;&amp;amp;");
  });

  test("are escaped everywhere", () => {
    expect(renderPage('<a title="{{x}}">{{x}}</a>', { x: `<">` })).toBe('<a title="&lt;&quot;&gt;">&lt;&quot;&gt;</a>');
  });

  test("are neither patterns nor sources of further values", () => {
    expect(renderPage("{{x}}{{y}}", { x: "$&{{y}}", y: "1" })).toBe("$&amp;{{y}}1");
  });

  test("must exist for every name; an inherited value does not count", () => {
    expect(() => renderPage("{{missing}}", {})).toThrow("missing");
    expect(() => renderPage("{{toString}}", {})).toThrow("toString");
  });
});

describe("the address of an asset", () => {
  test("changes with the content, and only then", () => {
    const one = asset("a.css", "a{}").path;
    expect(one).toMatch(/^\/assets\/a-[\w-]{16}\.css$/);
    expect(asset("a.css", "a{}").path).toBe(one);
    expect(asset("a.css", "b{}").path).not.toBe(one);
  });

  test("replaces the file's name in a page", () => {
    const style = asset("a.css", "a{}");
    expect(renderPage('<link href="a.css">', {}, [style])).toBe(`<link href="${style.path}">`);
    expect(() => renderPage('<link href="b.css">', {}, [style])).toThrow("a.css");
  });

  test("an unknown media type is refused at the start, so that no browser has to guess it", () => {
    expect(() => fileHandler("a.exe", "")).toThrow("a.exe");
  });
});

test("a page adds directives and keeps the rest of the policy", async () => {
  const exchange = { request: new Request("http://localhost/"), headers: {} } as Exchange;
  const { headers } = await pageHandler("", { "script-src": "'self'", "form-action": "'self'" })(exchange);
  expect(headers.get("content-security-policy")).toBe(
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; script-src 'self'",
  );
});
