import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { testIf } from "../../support/report.ts";

const EXECUTABLE = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";

/** Real Chromium or nothing: skipped with its reason where there is none. */
export const browserTest = testIf(existsSync(EXECUTABLE), "needs Chromium: install it, or set CHROMIUM_PATH");

/** Nothing but the pages under test may talk: no updates, no telemetry, no QUIC. */
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

/** One browser a test file; each test has a context, which is a profile, of its own. */
export function launch(): Promise<Browser> {
  running ??= chromium.launch({ executablePath: EXECUTABLE, args: FLAGS });
  return running;
}

export async function closeBrowser(): Promise<void> {
  await (await running?.catch(() => undefined))?.close();
  running = undefined;
}
