import { describe, expect, test } from "bun:test";
import { asset, escapeHtml, fileHandler, pageHandler, renderPage } from "../../src/http/assets.ts";
import type { Exchange } from "../../src/http/edge.ts";

describe("values in a page are text", () => {
  const hostile = `"><script src='//evil.example'>alert(1)</script>&amp;`;

  test("nothing that could end a text or a quoted attribute is left", () => {
    const escaped = escapeHtml(hostile);
    expect(escaped).not.toMatch(/[<>"']/);
    expect(escaped).toBe("&quot;&gt;&lt;script src=&#39;//evil.example&#39;&gt;alert(1)&lt;/script&gt;&amp;amp;");
  });

  test("a page escapes what it is given, wherever it stands", () => {
    expect(renderPage('<a title="{{x}}">{{x}}</a>', { x: `<">` })).toBe('<a title="&lt;&quot;&gt;">&lt;&quot;&gt;</a>');
  });

  test("a value is not taken for a pattern or for a source of further values", () => {
    expect(renderPage("{{x}}{{y}}", { x: "$&{{y}}", y: "1" })).toBe("$&amp;{{y}}1");
  });

  test("a name without a value is refused, an inherited one too", () => {
    expect(() => renderPage("{{missing}}", {})).toThrow("missing");
    expect(() => renderPage("{{toString}}", {})).toThrow("toString");
  });
});

describe("an asset's address is made of its content", () => {
  test("other content, other address; same content, same address", () => {
    const one = asset("a.css", "a{}").path;
    expect(one).toMatch(/^\/assets\/a-[\w-]{16}\.css$/);
    expect(asset("a.css", "a{}").path).toBe(one);
    expect(asset("a.css", "b{}").path).not.toBe(one);
  });

  test("a page refers to it by that address", () => {
    const style = asset("a.css", "a{}");
    expect(renderPage('<link href="a.css">', {}, [style])).toBe(`<link href="${style.path}">`);
    expect(() => renderPage('<link href="b.css">', {}, [style])).toThrow("a.css");
  });

  test("a file whose media type is unknown is refused at the start, not sniffed by browsers", () => {
    expect(() => fileHandler("a.exe", "")).toThrow("a.exe");
  });
});

test("a page that needs more says what, and keeps the rest of the policy", async () => {
  const exchange = { request: new Request("http://localhost/"), headers: {} } as Exchange;
  const { headers } = await pageHandler("", { "script-src": "'self'", "form-action": "'self'" })(exchange);
  expect(headers.get("content-security-policy")).toBe(
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; script-src 'self'",
  );
});
