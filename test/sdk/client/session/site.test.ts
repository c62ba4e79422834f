import { expect, test } from "bun:test";
import { areDifferentSites, refuseOtherSite } from "../../../../src/sdk/client/session/site.ts";

test.each([
  ["http://localhost:3000", "http://localhost:8080", false],
  ["https://app.example.com", "https://login.example.com", false],
  ["https://example.com", "https://login.example.com", false],
  ["https://a.b.example.com:8443", "https://example.com", false],
  // They may differ (a public suffix); the first refresh shows it.
  ["https://a.co.uk", "https://b.co.uk", false],
  ["https://app.example.com", "https://login.example.net", true],
  ["https://example.com", "https://another.com", true],
  ["http://app.example.com", "https://login.example.com", true],
  ["http://localhost:3000", "http://127.0.0.1:8080", true],
  ["http://app.localhost", "http://localhost", true],
  ["http://10.0.0.1", "http://10.1.0.1", true],
  ["http://[::1]:3000", "http://[::1]:8080", false],
  ["http://[::1]", "http://[::2]", true],
])("%s and %s: certainly different sites is %p", (one, other, expected) => {
  expect(areDifferentSites(new URL(one), new URL(other))).toBe(expected);
  expect(areDifferentSites(new URL(other), new URL(one))).toBe(expected);
});

test("refuses a page with an opaque origin", () => {
  expect(() => refuseOtherSite("null", "https://login.example.com")).toThrow("on different sites");
});
