import { describe, expect, test } from "bun:test";
import { NetworkList, networkOf, parseAddress } from "../../src/core/network.ts";

describe("parseAddress", () => {
  test.each([
    ["203.0.113.7", "203.0.113.7"],
    [" 203.0.113.7 ", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["::ffff:cb00:7107", "203.0.113.7"],
    ["::FFFF:203.0.113.7", "203.0.113.7"],
    ["2001:DB8::1", "2001:db8:0:0:0:0:0:1"],
    ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8:0:0:0:0:0:1"],
    ["[2001:db8::1]", "2001:db8:0:0:0:0:0:1"],
    ["fe80::1%eth0", "fe80:0:0:0:0:0:0:1"],
    ["64:ff9b::192.0.2.33", "64:ff9b:0:0:0:0:c000:221"],
    ["::", "0:0:0:0:0:0:0:0"],
    ["::1", "0:0:0:0:0:0:0:1"],
  ])("%s becomes %s", (text, expected) => {
    expect(parseAddress(text)).toBe(expected);
  });

  test.each([
    "",
    "unknown",
    "_hidden",
    "203.0.113",
    "203.0.113.256",
    "0x7f.1",
    "2130706433",
    "203.0.113.7:80",
    "[::1]:80",
    "::ffff:999.1.1.1",
    "1::2::3",
    "a,b",
    "localhost",
  ])("%p is not an address", (text) => {
    expect(parseAddress(text)).toBeNull();
  });
});

describe("networkOf", () => {
  test("returns IPv4 unchanged, and IPv6 as its /64", () => {
    expect(networkOf("203.0.113.7")).toBe("203.0.113.7");
    expect(networkOf("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
    expect(networkOf("2001:db8::1")).toBe("2001:db8:0:0::/64");
    expect(networkOf("")).toBe("");
  });

  test("every spelling of a /64 is the same network", () => {
    const spellings = ["2001:db8:0:2::1", "2001:0DB8:0000:0002:ffff::", "2001:db8::2:1:2:3:4"];
    expect(new Set(spellings.map((text) => networkOf(parseAddress(text) ?? "?"))).size).toBe(1);
  });
});

describe("NetworkList", () => {
  const list = new NetworkList(["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "fd00::1", "0.0.0.0/0"].slice(0, 4));

  test.each([
    ["10.0.0.0", true],
    ["10.255.255.255", true],
    ["11.0.0.0", false],
    ["9.255.255.255", false],
    ["192.0.2.1", true],
    ["192.0.2.2", false],
    ["2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true],
    ["2001:db9::", false],
    ["fd00:0:0:0:0:0:0:1", true],
    ["fd00::2", false],
    ["", false],
    ["nonsense", false],
  ])("%s: %p", (address, expected) => {
    expect(list.has(address)).toBe(expected);
  });

  test("an IPv4 block holds no IPv6 address, nor an IPv6 block an IPv4 address", () => {
    expect(new NetworkList(["0.0.0.0/0"]).has("::1")).toBeFalse();
    expect(new NetworkList(["::/0"]).has("127.0.0.1")).toBeFalse();
    expect(new NetworkList(["0.0.0.0/0"]).has("255.255.255.255")).toBeTrue();
  });

  test.each(["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/x", "::/129", "10.0.0", "example.com", "", "10.0.0.0/8.5"])(
    "%p is refused, and the error names it",
    (entry) => {
      expect(() => new NetworkList([entry])).toThrow(entry);
    },
  );
});
