import { describe, expect, test } from "bun:test";
import { clientHop } from "../../src/core/forwarded.ts";
import { NetworkList } from "../../src/core/network.ts";

const trusted = new NetworkList(["127.0.0.1", "10.0.0.0/8", "::1"]);
const V6 = "2001:db8:0:0:0:0:0:1";

describe("the client behind trusted proxies", () => {
  test.each([
    ["203.0.113.9", "198.51.100.1", "203.0.113.9"],
    ["127.0.0.1", null, "127.0.0.1"],
    ["127.0.0.1", "", "127.0.0.1"],
    ["127.0.0.1", "198.51.100.1", "198.51.100.1"],
    ["::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"],
    ["::1", "198.51.100.1", "198.51.100.1"],
    ["127.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"],
    ["127.0.0.1", "1.1.1.1, 198.51.100.1, 10.1.1.1,10.2.2.2", "198.51.100.1"],
    ["127.0.0.1", "10.1.1.1, 10.2.2.2", "10.1.1.1"],
    ["127.0.0.1", "198.51.100.1:51234", "198.51.100.1"],
    ["127.0.0.1", "198.51.100.1:51234, 10.1.1.1:80", "198.51.100.1"],
    ["127.0.0.1", '"198.51.100.1"', "198.51.100.1"],
    ["127.0.0.1", '"198.51.100.1:51234"', "198.51.100.1"],
    ["127.0.0.1", "2001:DB8::1", V6],
    ["127.0.0.1", "[2001:db8::1]", V6],
    ["127.0.0.1", "[2001:db8::1]:443", V6],
    ["127.0.0.1", '"[2001:db8::1]:443"', V6],
    ["127.0.0.1", "[::ffff:198.51.100.1]:443", "198.51.100.1"],
  ])("peer %s, X-Forwarded-For %p: %s", (peer, value, expected) => {
    expect(clientHop(peer, { name: "x-forwarded-for", value }, trusted)).toEqual({
      address: expected,
      unreadable: null,
    });
  });

  test.each([
    ["unknown", "127.0.0.1", "unknown"],
    ["198.51.100.1, unknown", "127.0.0.1", "unknown"],
    ["198.51.100.1, _hidden, 10.1.1.1", "10.1.1.1", "_hidden"],
    ["198.51.100.1, , 10.1.1.1", "10.1.1.1", ""],
    ["198.51.100.1:port", "127.0.0.1", "198.51.100.1:port"],
    ["198.51.100.1:1:2", "127.0.0.1", "198.51.100.1:1:2"],
    ["unix:", "127.0.0.1", "unix:"],
    ['"198.51.100.1', "127.0.0.1", '"198.51.100.1'],
    ["x".repeat(1_000), "127.0.0.1", "x".repeat(64)],
  ])("X-Forwarded-For %p names no client, and nothing to its left counts", (value, address, unreadable) => {
    expect(clientHop("127.0.0.1", { name: "x-forwarded-for", value }, trusted)).toEqual({ address, unreadable });
  });

  test.each([
    ["for=198.51.100.1", "198.51.100.1"],
    ["For=198.51.100.1;proto=https;by=203.0.113.43", "198.51.100.1"],
    ['proto=https; for="198.51.100.1:4711"', "198.51.100.1"],
    ['for="[2001:db8::1]:4711"', V6],
    ['for="[2001:db8::1]"', V6],
    ['for="198.51.100.1:_port"', "198.51.100.1"],
    ["for=1.1.1.1, for=198.51.100.1, for=10.1.1.1", "198.51.100.1"],
    // A client that opens a quote cannot hide the element that the proxy adds after it.
    ['for="1.1.1.1, for=198.51.100.1', "198.51.100.1"],
    ['for=", for="198.51.100.1:80"', "198.51.100.1"],
  ])("Forwarded %p: %s (RFC 7239)", (value, expected) => {
    expect(clientHop("127.0.0.1", { name: "forwarded", value }, trusted)).toEqual({
      address: expected,
      unreadable: null,
    });
  });

  test.each(["for=unknown", "for=_hidden", "proto=https", "by=198.51.100.1", "198.51.100.1", "x-for=198.51.100.1"])(
    "Forwarded %p names no client",
    (value) => {
      const { address, unreadable } = clientHop("127.0.0.1", { name: "forwarded", value }, trusted);
      expect([address, unreadable]).toEqual(["127.0.0.1", value]);
    },
  );

  test("no proxy is trusted unless it is configured", () => {
    const header = { name: "x-forwarded-for", value: "198.51.100.1" };
    expect(clientHop("127.0.0.1", header, new NetworkList([])).address).toBe("127.0.0.1");
  });
});
