import { expect, test } from "bun:test";
import { RecentMap } from "../../src/core/recent-map.ts";

test("holds at most its capacity, and forgets entries that nobody reads", () => {
  const map = new RecentMap<number>(10);
  for (let i = 0; i < 100; i++) map.set(`key ${i}`, i);
  const held = Array.from({ length: 100 }, (_, i) => map.get(`key ${i}`)).filter((value) => value !== undefined);
  expect(held.length).toBeLessThanOrEqual(10);
  expect(map.get("key 0")).toBeUndefined();
  expect(map.get("key 99")).toBe(99);
});

test("keeps an entry that is read while others come and go", () => {
  const map = new RecentMap<string>(10);
  map.set("wanted", "here");
  for (let i = 0; i < 100; i++) {
    map.set(`key ${i}`, "");
    expect(map.get("wanted")).toBe("here");
  }
});

test("clear removes every entry", () => {
  const map = new RecentMap<number>(4);
  for (let i = 0; i < 4; i++) map.set(`key ${i}`, i);
  map.clear();
  for (let i = 0; i < 4; i++) expect(map.get(`key ${i}`)).toBeUndefined();
});
