import { describe, expect, test } from "bun:test";
import { canonicalEmail } from "../../src/core/email.ts";

describe("canonicalEmail accepts one address", () => {
  test.each([
    ["ada@example.com", "ada@example.com", "ada@example.com"],
    ["Ada.Lovelace+x@Example.COM", "Ada.Lovelace+x@example.com", "ada.lovelace+x@example.com"],
    ["  ada@example.com ", "ada@example.com", "ada@example.com"],
    ["ａda＠example．com", "ada@example.com", "ada@example.com"],
    ["ada@bücher.example", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"],
    ["ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"],
    ["ada@例え。jp", "ada@xn--r8jz45g.jp", "ada@xn--r8jz45g.jp"],
    ["!#$%&'*+/=?^_`{|}~-@a-b.co", "!#$%&'*+/=?^_`{|}~-@a-b.co", "!#$%&'*+/=?^_`{|}~-@a-b.co"],
    [`${"a".repeat(64)}@b.co`, `${"a".repeat(64)}@b.co`, `${"a".repeat(64)}@b.co`],
    ["\u212Aate@example.com", "Kate@example.com", "kate@example.com"],
  ])("%p", (input, address, canonical) => {
    expect(canonicalEmail(input)).toEqual({ address, canonical });
  });

  test("the canonical form is stable, and rules of providers are not guessed", () => {
    expect(canonicalEmail("a.d.a+b@gmail.com")?.canonical).toBe("a.d.a+b@gmail.com");
    const once = canonicalEmail("Ada@Bücher.example")?.canonical;
    expect(canonicalEmail(once)?.canonical).toBe(once);
  });
});

describe("canonicalEmail refuses", () => {
  const long = `a@${`${"b".repeat(60)}.`.repeat(4)}${"c".repeat(20)}.com`;
  test.each([
    ["two addresses in an array", ["ada@example.com", "eve@evil.example"]],
    ["an object", { address: "ada@example.com" }],
    ["nothing", undefined],
    ["an empty string", ""],
    ["two addresses with a comma", "ada@example.com,eve@evil.example"],
    ["two addresses with a semicolon", "ada@example.com;eve@evil.example"],
    ["two addresses with a space", "ada@example.com eve@evil.example"],
    ["two at signs", "ada@example.com@evil.example"],
    ["a full-width second at sign", "ada@example.com＠evil.example"],
    ["a small second at sign", "ada@example.com﹫evil.example"],
    ["a display name", "Ada <ada@example.com>"],
    ["angle brackets", "<ada@example.com>"],
    ["a quoted local part", '"ada"@example.com'],
    ["a quoted at sign", '"ada@evil.example"@example.com'],
    ["a comment", "ada(comment)@example.com"],
    ["a header injection", "ada@example.com\r\nBcc: eve@evil.example"],
    ["a trailing newline", "ada@example.com\n"],
    ["an outer tab", "\tada@example.com"],
    ["an outer no-break space", "\u00A0ada@example.com"],
    ["a NUL", "ada\u0000@example.com"],
    ["consecutive dots", "ada..lovelace@example.com"],
    ["a leading dot", ".ada@example.com"],
    ["a trailing dot in the local part", "ada.@example.com"],
    ["no local part", "@example.com"],
    ["no domain", "ada@"],
    ["one label", "ada@localhost"],
    ["a trailing dot", "ada@example.com."],
    ["an empty label", "ada@example..com"],
    ["an address literal", "ada@[127.0.0.1]"],
    ["an IPv6 literal", "ada@[IPv6:::1]"],
    ["an IPv4 address", "ada@127.0.0.1"],
    ["an IPv4 address in hexadecimal", "ada@0x7f.1"],
    ["a full-width IPv4 address", "ada@１２７.0.0.1"],
    ["a percent-encoded domain", "ada@ex%61mple.com"],
    ["a port", "ada@example.com:25"],
    ["a path by a ligature", "ada@example.com\u2100.evil.example"],
    ["an underscore in the domain", "ada@ex_ample.com"],
    ["a hyphen at a label's start", "ada@-example.com"],
    ["a hyphen at a label's end", "ada@example-.com"],
    ["a label of more than 63 characters", `ada@${"a".repeat(64)}.com`],
    ["a local part of more than 64 characters", `${"a".repeat(65)}@example.com`],
    ["an address of more than 254 characters", long],
    ["a soft hyphen", "ada@exam\u00ADple.com"],
    ["a zero-width joiner", "a\u200Dda@example.com"],
    ["a right-to-left override", "ada\u202E@example.com"],
    ["a Cyrillic homoglyph", "\u0430da@example.com"],
    ["a dotless i", "m\u0131ke@example.com"],
    ["an accent", "adá@example.com"],
    ["broken punycode", "ada@xn--zzzzz-.com"],
    ["punycode of plain ASCII", "ada@xn--a-.com"],
    ["a reserved hyphen pair", "ada@ab--cd.com"],
    ["a lone surrogate", "ada\uD800@example.com"],
  ])("%s", (_name, input) => {
    expect(canonicalEmail(input)).toBeNull();
  });

  test("254 characters pass, 255 do not (RFC 5321 section 4.5.3.1.3)", () => {
    const domain = `${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(57)}.com`;
    expect(canonicalEmail(`${"a".repeat(64)}@${domain}`)?.address.length).toBe(254);
    expect(canonicalEmail(`${"a".repeat(64)}@${domain.replace("d.", "dd.")}`)).toBeNull();
  });
});
