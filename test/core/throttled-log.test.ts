import { expect, test } from "bun:test";
import { ThrottledLog } from "../../src/core/throttled-log.ts";
import { eventually } from "../support/eventually.ts";
import { CapturedLog } from "../support/logs.ts";

test("logs the first of many equal faults at once, and the number of the others after the interval", async () => {
  const log = new CapturedLog();
  const throttled = new ThrottledLog(log, 50);
  for (let times = 0; times < 100; times++) throttled.error("full", { path: "/" }, "No room.");
  throttled.error("other", {}, "Another fault.");
  expect(log.lines.map(({ message }) => message)).toEqual(["No room.", "Another fault."]);
  await eventually(() => expect(log.lines).toHaveLength(3));
  expect(log.lines[2]).toMatchObject({ fields: { fault: "full", times: 99 }, message: "No room." });
  await Bun.sleep(120);
  expect(log.lines).toHaveLength(3);
  throttled.error("full", {}, "No room.");
  expect(log.lines).toHaveLength(4);
});
