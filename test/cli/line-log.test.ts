import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LineLog } from "../../src/cli/line-log.ts";
import { FakeClock } from "../support/fake-clock.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-log-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Returns the lines that `act` has written, as they stand in the file. */
function linesOf(level: string, act: (log: LineLog) => void): string[] {
  const file = join(directory, "log");
  const fd = openSync(file, "w");
  act(new LineLog({ level, fd, clock: new FakeClock() }));
  closeSync(fd);
  return readFileSync(file, "utf8").split("\n").slice(0, -1);
}

describe("the log of the server", () => {
  test("is one line of JSON for each message, with level, time and fields", () => {
    const [line = "", ...rest] = linesOf("info", (log) =>
      log.warn({ path: "/v1/me", ms: 3 }, 'One "quoted"\nmessage.'),
    );
    const time = new Date(new FakeClock().now()).toISOString();
    expect(JSON.parse(line)).toEqual({ level: "warn", time, path: "/v1/me", ms: 3, msg: 'One "quoted"\nmessage.' });
    expect(rest).toEqual([]);
  });

  test("leaves out the lines below its level", () => {
    const all = (log: LineLog) => {
      for (const level of ["debug", "info", "warn", "error", "fatal"] as const) log[level]({}, level);
    };
    const shown = (level: string) => linesOf(level, all).map((line) => JSON.parse(line).msg);
    expect(shown("debug")).toEqual(["debug", "info", "warn", "error", "fatal"]);
    expect(shown("error")).toEqual(["error", "fatal"]);
    expect(shown("silent")).toEqual([]);
  });

  test("tells an error with its code, its stack and its causes", () => {
    const cause = Object.assign(new Error("no space"), { code: "ENOSPC", secret: "hunter2" });
    const error = new TypeError("the write failed", { cause });
    error.cause = Object.assign(cause, { cause: error });
    const [line = ""] = linesOf("info", (log) => log.error({ err: error }, "A job failed."));
    const { err } = JSON.parse(line);
    expect([err.type, err.message, err.cause.type, err.cause.code]).toEqual([
      "TypeError",
      "the write failed",
      "Error",
      "ENOSPC",
    ]);
    expect(err.stack).toContain("line-log.test.ts");
    expect(line).not.toContain("hunter2");
  });

  test("keeps a message whose field JSON cannot hold", () => {
    const itself: Record<string, unknown> = {};
    itself.itself = itself;
    const lines = linesOf("info", (log) => {
      log.info(itself, "a ring");
      log.info({ big: 2n ** 70n }, "a bigint");
    });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { msg: "a ring" },
      { msg: "a bigint", big: String(2n ** 70n) },
    ]);
  });

  test("fails no request when the disk is full", () => {
    const fd = openSync("/dev/full", "w");
    new LineLog({ level: "info", fd, clock: new FakeClock() }).error({}, "lost");
    closeSync(fd);
  });

  test("waits for the reader of a full pipe, and loses nothing", async () => {
    const pipe = join(directory, "pipe");
    expect(Bun.spawnSync(["mkfifo", pipe]).success).toBe(true);
    const fd = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    const log = new LineLog({ level: "info", fd, clock: new FakeClock() });
    const lines = 400;
    const reader = Bun.spawn(["sh", "-c", `sleep 0.2; head -n ${lines} "$1" | sort -u | wc -l`, "reader", pipe]);
    for (let line = 0; line < lines; line++) log.info({ line, padding: "x".repeat(1_000) }, "full");
    expect((await new Response(reader.stdout).text()).trim()).toBe(String(lines));
    closeSync(fd);
  });
});
