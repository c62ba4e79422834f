import { describe, expect, test } from "bun:test";
import { createHash, randomUUID } from "node:crypto";
import { digestEquals, newSecret, parseSecret, sha256, sha256Base64url } from "../../src/crypto/secrets.ts";

const keyId = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";

describe("secrets that are shown once (ASVS 11.5.1)", () => {
  test.each(["sk", "cs", "hs"] as const)("sally_%s_ parses back to its key id and digest", (kind) => {
    const { text, digest } = newSecret(kind, keyId);
    expect(text).toMatch(new RegExp(`^sally_${kind}_[0-9A-Za-z]{71}$`));
    expect(text.length).toBeGreaterThanOrEqual(64);
    expect(parseSecret(kind, text)).toEqual({ keyId, digest });
    expect(digest).toEqual(sha256(text));
  });

  test.each(["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", randomUUID()])(
    "hold any UUID: %s",
    (id) => {
      expect(parseSecret("sk", newSecret("sk", id.toUpperCase()).text)?.keyId).toBe(id);
    },
  );

  test("two secrets of the same key share only the key id", () => {
    const [a, b] = [newSecret("sk", keyId).text, newSecret("sk", keyId).text];
    expect(a.slice(0, 31)).toBe(b.slice(0, 31));
    expect(a.slice(31)).not.toBe(b.slice(31));
  });

  test("one wrong character anywhere is refused before any lookup", () => {
    const { text } = newSecret("sk", keyId);
    for (let i = 0; i < text.length; i++) {
      const other = text[i] === "7" ? "8" : "7";
      expect(parseSecret("sk", text.slice(0, i) + other + text.slice(i + 1))).toBeNull();
    }
  });

  test("kind, length, case and white space must match exactly", () => {
    const { text } = newSecret("sk", keyId);
    for (const wrong of [
      text.replace("sk", "cs"),
      ` ${text}`,
      `${text}\n`,
      text.slice(0, -1),
      `${text}0`,
      text.toUpperCase(),
      text.replace("sally_sk_", "sally-sk-"),
      "",
      `sally_sk_${"é".repeat(71)}`,
    ]) {
      expect(parseSecret("sk", wrong)).toBeNull();
    }
    expect(parseSecret("cs", text)).toBeNull();
  });

  test("digests compare by content, and different lengths are unequal", () => {
    expect(digestEquals(sha256("a"), sha256("a"))).toBe(true);
    expect(digestEquals(sha256("a"), sha256("b"))).toBe(false);
    expect(digestEquals(sha256("a"), sha256("a").slice(1))).toBe(false);
  });

  test("the sha256 of a text is that of its UTF-8 bytes", () => {
    const known = createHash("sha256").update("bücher", "utf8");
    expect(sha256Base64url("bücher")).toBe(known.digest("base64url"));
    expect(sha256(new TextEncoder().encode("bücher"))).toEqual(sha256("bücher"));
  });
});
