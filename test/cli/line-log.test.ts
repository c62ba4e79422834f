import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LineLog, logOutput } from "../../src/cli/line-log.ts";
import { MAY_MOUNT, mountDisk } from "../support/disk.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { testIf } from "../support/report.ts";

const diskTest = testIf(MAY_MOUNT, "needs the right to mount a tmpfs");

let directory: string;
let pipe: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-log-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function logOf(fd: number, level = "info"): LineLog {
  const clock = new FakeClock();
  return new LineLog({ level, output: logOutput(fd, clock), clock });
}

/** Makes a pipe that this process can write to without a reader. */
function makePipe(): number {
  pipe = join(directory, crypto.randomUUID());
  expect(Bun.spawnSync(["mkfifo", pipe]).success).toBe(true);
  return openSync(pipe, constants.O_RDWR);
}

/** Returns the lines that `act` has written, as they stand in the file. */
function linesOf(level: string, act: (log: LineLog) => void): string[] {
  const file = join(directory, "log");
  const fd = openSync(file, "w");
  act(logOf(fd, level));
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
    logOf(fd).error({}, "lost");
    closeSync(fd);
  });

  test("keeps the lines of a full pipe for its reader", async () => {
    const fd = makePipe();
    const log = logOf(fd);
    const lines = 400;
    for (let line = 0; line < lines; line++) log.info({ line, padding: "x".repeat(1_000) }, "full");
    const reader = Bun.spawn(["sh", "-c", `head -n ${lines} "$1" | sort -u | wc -l`, "reader", pipe]);
    expect((await new Response(reader.stdout).text()).trim()).toBe(String(lines));
    closeSync(fd);
  });

  test("drops lines that find no room, and tells their number to the reader", async () => {
    const fd = makePipe();
    const log = logOf(fd);
    const lines = 2_000;
    for (let line = 0; line < lines; line++) log.info({ line, padding: "x".repeat(1_000) }, "full");
    const started = performance.now();
    log.fatal({}, "the end");
    expect(performance.now() - started).toBeWithin(900, 3_000);
    const reader = Bun.spawn(["sed", "/were dropped/q", pipe]);
    const seen = (await new Response(reader.stdout).text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(seen.at(-2)?.msg).toBe("the end");
    const kept = seen.slice(0, -2);
    expect(kept.map(({ line }) => line)).toEqual(kept.map((_, index) => index));
    expect(kept.length).toBeWithin(900, 1_200);
    expect(seen.at(-1)).toMatchObject({ level: "warn", dropped: lines - kept.length });
    closeSync(fd);
  });

  diskTest("goes on after a disk that was full, on a new line", () => {
    const disk = mountDisk(1);
    try {
      const file = join(disk.path, "log");
      const fd = openSync(file, "a");
      const log = logOf(fd);
      log.info({}, "before");
      disk.fill();
      log.info({ padding: "x".repeat(10_000) }, "half");
      log.info({}, "none");
      disk.free();
      log.info({}, "after");
      closeSync(fd);
      const [before = "", torn = "", ...rest] = readFileSync(file, "utf8").trim().split("\n");
      expect(JSON.parse(before).msg).toBe("before");
      expect(torn).toEndWith("xxx");
      expect(rest.map((line) => JSON.parse(line))).toMatchObject([{ level: "warn", dropped: 2 }, { msg: "after" }]);
    } finally {
      disk.unmount();
    }
  });
});
