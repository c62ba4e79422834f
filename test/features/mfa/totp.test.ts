import { describe, expect, test } from "bun:test";
import { encode } from "uqr";
import { otpauthUri, qrSvg } from "../../../src/features/mfa/qr-code.ts";
import { matchingStep, newTotpSecret, toBase32, totpCode } from "../../../src/features/mfa/totp.ts";
import { totp } from "../../support/totp.ts";

const RFC_SECRET = new TextEncoder().encode("12345678901234567890");
const SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

describe("RFC 6238", () => {
  /** Appendix B, SHA-1: eight digits, of which an app with six shows the last six. */
  const vectors: [seconds: number, code: string][] = [
    [59, "94287082"],
    [1_111_111_109, "07081804"],
    [1_111_111_111, "14050471"],
    [1_234_567_890, "89005924"],
    [2_000_000_000, "69279037"],
    [20_000_000_000, "65353130"],
  ];

  test.each(vectors)("appendix B at %d s", (seconds, code) => {
    expect(totpCode(RFC_SECRET, Math.floor(seconds / 30))).toBe(code.slice(2));
    expect(totp(SECRET, seconds * 1000)).toBe(code.slice(2));
    expect(matchingStep(RFC_SECRET, code.slice(2), seconds * 1000, 0)).toBe(Math.floor(seconds / 30));
  });

  test("RFC 4226 appendix D: the first ten counters", () => {
    const codes = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489".split(" ");
    expect(codes.map((_, step) => totpCode(RFC_SECRET, step))).toEqual(codes);
  });

  test("accepts one step of drift either way, and no more (ASVS 6.5.5)", () => {
    const now = 1_234_567_890_000;
    const step = Math.floor(now / 30_000);
    for (const drift of [-1, 0, 1]) {
      expect(matchingStep(RFC_SECRET, totpCode(RFC_SECRET, step + drift), now, 0)).toBe(step + drift);
    }
    for (const drift of [-3, -2, 2, 3]) {
      expect([drift, matchingStep(RFC_SECRET, totpCode(RFC_SECRET, step + drift), now, 0)]).toEqual([drift, null]);
    }
  });

  test("never finds a step up to the last one again, whatever the clock says (ASVS 6.5.1)", () => {
    const now = 1_234_567_890_000;
    const step = Math.floor(now / 30_000);
    for (const drift of [-1, 0]) {
      expect(matchingStep(RFC_SECRET, totpCode(RFC_SECRET, step + drift), now, step)).toBeNull();
    }
    expect(matchingStep(RFC_SECRET, totpCode(RFC_SECRET, step + 1), now, step)).toBe(step + 1);
    const before = now - 3_600_000;
    expect(matchingStep(RFC_SECRET, totpCode(RFC_SECRET, step - 120), before, step)).toBeNull();
  });

  test("ignores fillers; refuses anything else without an error", () => {
    const now = 59_000;
    expect(matchingStep(RFC_SECRET, "287 082", now, 0)).toBe(1);
    expect(matchingStep(RFC_SECRET, " 287-082 ", now, 0)).toBe(1);
    for (const code of ["", "28708", "2870820", "28708a", "\u0000", "94287082", "-287082e0"]) {
      expect([code, matchingStep(RFC_SECRET, code, now, 0)]).toEqual([code, null]);
    }
  });

  test("a secret has 160 bits and is never the same (ASVS 6.5.3)", () => {
    const secrets = Array.from({ length: 100 }, newTotpSecret);
    expect(new Set(secrets.map((secret) => secret.length))).toEqual(new Set([20]));
    expect(new Set(secrets.map(toBase32)).size).toBe(100);
  });
});

test("base32 follows RFC 4648 section 10, without padding", () => {
  const vectors = {
    "": "",
    f: "MY",
    fo: "MZXQ",
    foo: "MZXW6",
    foob: "MZXW6YQ",
    fooba: "MZXW6YTB",
    foobar: "MZXW6YTBOI",
  };
  for (const [text, expected] of Object.entries(vectors)) {
    expect([text, toBase32(new TextEncoder().encode(text))]).toEqual([text, expected]);
  }
  expect(toBase32(RFC_SECRET)).toBe(SECRET);
});

describe("the address and picture for an app", () => {
  test("one colon separates issuer and account, and no part of them breaks out", () => {
    const uri = otpauthUri({ secret: SECRET, issuer: "Acme: Tools & Co", account: "ada+a:b&secret=x#?@example.com" });
    const url = new URL(uri);
    expect([url.protocol, url.host, uri.split(":").length]).toEqual(["otpauth:", "totp", 3]);
    expect(decodeURIComponent(url.pathname)).toBe("/Acme  Tools & Co:ada+a b&secret=x#?@example.com");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      secret: SECRET,
      issuer: "Acme  Tools & Co",
      algorithm: "SHA1",
      digits: "6",
      period: "30",
    });
  });

  test("the picture is the code of the text, in a square with a border of four white modules, without script", async () => {
    const text = otpauthUri({ secret: SECRET, issuer: "Acme", account: "ada@example.com" });
    const svg = await qrSvg(text);
    const { data, size } = encode(text, { ecc: "M", border: 4 });
    const drawn = data.map((row) => row.map(() => false));
    const path = /fill="#000" d="([^"]+)"/.exec(svg)?.[1] ?? "";
    for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
      for (let i = 0; i < Number(length); i++) (drawn[Number(y)] ?? [])[Number(x) + i] = true;
    }
    expect(drawn).toEqual(data);
    expect(svg).toContain(`viewBox="0 0 ${size} ${size}"`);
    expect(drawn.slice(0, 4).flat()).not.toContain(true);
    expect(svg).not.toMatch(/script|style|href|on\w+=/);
    expect(svg.length).toBeLessThan(15_000);
  });

  test("the longest possible names still fit", async () => {
    const astral = "\u{1f600}".repeat(200);
    const uri = otpauthUri({ secret: SECRET, issuer: astral, account: astral });
    expect(await qrSvg(uri)).toStartWith("<svg");
  });
});
