import { describe, expect, test } from "bun:test";
import { parseLimit, waitFor } from "../../src/core/limits.ts";

describe("parseLimit", () => {
  test.each([
    ["10/10m", { burst: 10, interval: 60_000 }],
    ["1/s", { burst: 1, interval: 1_000 }],
    ["100/1h", { burst: 100, interval: 36_000 }],
    ["300/10m", { burst: 300, interval: 2_000 }],
    ["2/d", { burst: 2, interval: 43_200_000 }],
    ["7/1s", { burst: 7, interval: 142 }],
    ["100000/1s", { burst: 100_000, interval: 1 }],
  ])("%s", (text, expected) => {
    expect(parseLimit(text)).toEqual(expected);
  });

  test.each([
    "",
    "10",
    "0/1m",
    "-1/1m",
    "10/0m",
    "10/1w",
    "10 / 1m",
    "1.5/1m",
    "10/m1",
    "10/10m ",
    "١/1m",
    "9999999999/1s",
  ])("%p is not a limit", (text) => {
    expect(parseLimit(text)).toBeNull();
  });
});

describe("waitFor (GCRA)", () => {
  const limit = { burst: 3, interval: 1_000 };

  test("a whole burst passes at once, and the next call waits for one interval", () => {
    let tat = 0;
    for (let i = 0; i < 3; i++) {
      expect(waitFor(limit, tat, 0)).toBe(0);
      tat += limit.interval;
    }
    expect(waitFor(limit, tat, 0)).toBe(1_000);
    expect(waitFor(limit, tat, 999)).toBe(1);
    expect(waitFor(limit, tat, 1_000)).toBe(0);
  });

  test("never returns more than the time until the next call is admitted", () => {
    expect(waitFor(limit, 5_000, 0)).toBe(3_000);
    expect(waitFor(limit, 0, 1_000_000)).toBe(0);
  });
});
