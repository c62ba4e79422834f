import { test } from "bun:test";

/**
 * Returns `test`, or, if the machine lacks what the test needs, a skipped test whose name carries the reason. The closing
 * report of `npm test` lists it, and under CI a skip is a failure.
 *
 *   const faketimeTest = testIf(existsSync(lib), "needs libfaketime");
 *   faketimeTest("refuses a token an hour later", async () => { ... });
 */
export function testIf(available: boolean, reason: string): typeof test {
  if (available) return test;
  const skipped = (name: string, ...rest: [body: () => void | Promise<void>, timeout?: number]) =>
    test.skip(`${name} [skipped: ${reason}]`, ...rest);
  return Object.assign(skipped, test);
}
