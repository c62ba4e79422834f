import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tally } from "../../scripts/lib/junit.ts";

const REPORT = new URL("../support/report.ts", import.meta.url).pathname;

/** Returns the tally of Bun's own report on a file of tests. */
async function reportOf(text: string): Promise<ReturnType<typeof tally>> {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-junit-"));
  try {
    await Bun.write(join(folder, "sample.test.ts"), text);
    const command = [process.execPath, "test", "--reporter=junit", "--reporter-outfile=junit.xml"];
    await Bun.spawn(command, { cwd: folder, stdin: "ignore", stdout: "ignore", stderr: "ignore" }).exited;
    return tally(await Bun.file(join(folder, "junit.xml")).text());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("counts Bun's reports correctly, whatever names and messages contain", async () => {
  const result = await reportOf(`
    import { describe, test } from "bun:test";
    import { testIf } from "${REPORT}";
    describe("a </testcase> & \\"group\\"", () => test("passes > <failure>", () => {}));
    test("fails </testcase>", () => { throw new Error("<testcase/><skipped/> ]]>"); });
    testIf(true, "never said")("has what it needs", () => {});
    testIf(false, "needs <strace> & more")("lacks it", () => {});
    test.skip("says nothing", () => {});
  `);
  expect([result.passed, result.failed]).toEqual([2, 1]);
  expect(result.skipped.map(({ name, reason }) => [name, reason])).toEqual([
    ["lacks it", "needs <strace> & more"],
    ["says nothing", "no reason given"],
  ]);
});

test("counts zero in a report without tests", () => {
  expect(tally('<testsuites name="bun test" tests="0"></testsuites>')).toEqual({ passed: 0, failed: 0, skipped: [] });
});
