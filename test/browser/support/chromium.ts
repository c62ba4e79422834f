import { test } from "bun:test";
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { testIf } from "../../support/report.ts";

const EXECUTABLE = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";

const REASON = "needs Chromium. Install it, or set CHROMIUM_PATH";

/** A test that needs Chromium. Without it, the test and its tables are skipped, with the reason. */
export const browserTest: typeof test = existsSync(EXECUTABLE)
  ? test
  : Object.assign(testIf(false, REASON), { each: skippedEach as unknown as typeof test.each });

function skippedEach(table: readonly unknown[]) {
  const each = test.skip.each([...table]) as (name: string, body: () => void) => void;
  return (name: string) => each(`${name} [skipped: ${REASON}]`, () => {});
}

/** Only the pages under test may use the network: no updates, no telemetry, no QUIC. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

let running: Promise<Browser> | undefined;

/** One browser per test file; each test has its own context, which is a profile. */
export function launch(): Promise<Browser> {
  running ??= chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
  return running;
}

export async function closeBrowser(): Promise<void> {
  await (await running?.catch(() => undefined))?.close();
  running = undefined;
}
