import { expect, test } from "bun:test";
import { TokenCache } from "../../../src/sdk/server/token-cache.ts";

test("never holds more than its capacity", () => {
  const cache = new TokenCache<number>(100);
  for (let index = 0; index < 10_000; index++) {
    cache.set(String(index), index);
    expect(cache.size).toBeLessThanOrEqual(100);
  }
  expect(cache.get("9999")).toBe(9_999);
  expect(cache.get("0")).toBeUndefined();
});

test("entries in use outlive a flood of unused ones", () => {
  const cache = new TokenCache<number>(100);
  cache.set("used", 1);
  for (let index = 0; index < 10_000; index++) {
    cache.set(`flood-${index}`, index);
    expect(cache.get("used")).toBe(1);
  }
});

test("a deleted entry is gone from both generations", () => {
  const cache = new TokenCache<number>(4);
  for (const key of ["a", "b", "c"]) cache.set(key, 1);
  cache.get("a");
  cache.delete("a");
  expect(cache.get("a")).toBeUndefined();
});

test("a capacity of 0 holds nothing", () => {
  const cache = new TokenCache<number>(0);
  cache.set("a", 1);
  expect(cache.get("a")).toBeUndefined();
});
