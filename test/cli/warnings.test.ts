import { Database } from "bun:sqlite";
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { clockWatch } from "../../src/cli/warnings.ts";
import { HOUR, MINUTE, SECOND } from "../../src/core/clock.ts";
import type { Log } from "../../src/core/log.ts";
import { prepare, SOURCE, start, tidy } from "../support/cli.ts";

setDefaultTimeout(120_000);
afterAll(tidy);

test("serve warns of a clock that was set back, and of few file descriptors", async () => {
  const { data, env } = await prepare();
  const database = new Database(join(data, "sallyport.db"));
  database.run("UPDATE audit_entries SET occurred_at = occurred_at + ?", [2 * HOUR]);
  database.close();
  const program = ["bash", "-c", 'ulimit -n 600; exec "$@"', "-", ...SOURCE];
  const server = await start(["serve", "--port", "0"], { env, program });
  const warnings = server
    .output()
    .split("\n")
    .filter((line) => line.includes('"level":"warn"'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(warnings.find(({ msg }) => String(msg).includes("earlier time"))?.behind_seconds).toBeGreaterThan(7_000);
  expect(warnings.find(({ msg }) => String(msg).includes("few file descriptors"))?.limit).toBe(600);
  await server.stop();
});

describe("a running server's clock", () => {
  const watch = () => {
    const seen: unknown[] = [];
    const times = { clock: 1_000_000_000, monotonic: 0 };
    const log = { warn: (fields: Record<string, unknown>) => void seen.push(fields.back_seconds) } as unknown as Log;
    const check = clockWatch(log, { now: () => times.clock }, () => times.monotonic);
    const after = (clock: number, monotonic: number) => {
      times.clock += clock;
      times.monotonic += monotonic;
      check();
      return seen.splice(0);
    };
    return after;
  };

  test("is reported each time that it is set back, and only then", () => {
    const after = watch();
    expect(after(MINUTE, MINUTE)).toEqual([]);
    expect(after(-HOUR, MINUTE)).toEqual([3_660]);
    expect(after(MINUTE, MINUTE)).toEqual([]);
    expect(after(-10 * SECOND, 0)).toEqual([10]);
  });

  test("may drift, be corrected by NTP, or sleep with its machine", () => {
    const after = watch();
    expect(after(MINUTE - SECOND, MINUTE)).toEqual([]);
    expect(after(MINUTE + SECOND, MINUTE)).toEqual([]);
    expect(after(8 * HOUR, MINUTE)).toEqual([]);
  });
});
