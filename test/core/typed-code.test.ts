import { describe, expect, test } from "bun:test";
import { typedCode } from "../../src/core/typed-code.ts";

describe("the one form of a typed code", () => {
  test.each([
    ["287 082", "287082"],
    [" 287-082\t\n", "287082"],
    ["287\u00a0082", "287082"],
    ["287\u2013\u2014\u2212\u2011082", "287082"],
    ["\ufeff\u200b2\u200d8\u20607\u00ad082\u200f\ufe0f", "287082"],
    ["２８７０８２", "287082"],
    ["٢٨٧٠٨٢", "287082"],
    ["۲۸۷۰۸۲", "287082"],
    ["२८७०८२", "287082"],
    ["𝟚𝟠𝟟𝟘𝟠𝟚", "287082"],
    ["\u{1e952}\u{1e958}\u{1e957}\u{1e950}\u{1e958}\u{1e952}", "287082"],
    ["7q4mz-k2d8t", "7Q4MZK2D8T"],
    ["７ｑ４ｍｚ－ｋ２ｄ８ｔ", "7Q4MZK2D8T"],
    ["\u200b - \u3000", ""],
  ])("%j", (typed, form) => expect(typedCode(typed)).toBe(form));

  test("reads the digits of every script that Intl writes", () => {
    let scripts = 0;
    for (const numberingSystem of Intl.supportedValuesOf("numberingSystem")) {
      const digits = new Intl.NumberFormat("en", { numberingSystem, useGrouping: false }).format(9_876_543_210);
      if (!/^\p{Nd}{10}$/u.test(digits)) continue;
      expect([numberingSystem, typedCode(digits)]).toEqual([numberingSystem, "9876543210"]);
      scripts++;
    }
    expect(scripts).toBeGreaterThan(50);
  });

  test("keeps every other character, so that it adds no right codes", () => {
    for (const text of ["28708A", "287.082", "287_082", "287082E0", "+287082", "\ud800287082"]) {
      expect(typedCode(text)).toBe(text);
    }
  });
});
