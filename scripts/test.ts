/**
 * Runs the tests and closes with one plain line, `N passed, N failed, N skipped`. What follows the command goes to `bun
 * test` as it is: `npm test -- test/crypto -t argon2`.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Glob } from "bun";
import { postgresPrograms, startPrivatePostgres } from "../test/support/postgres.ts";
import { closingLine, type Tally, tally } from "./lib/junit.ts";
import { BUN, passThrough, ROOT } from "./lib/run.ts";

const EXECUTABLE = join(ROOT, "dist/sallyport");
/** These drive the compiled executable. */
const NEEDS_EXECUTABLE = "test/{binary,interop}/**/*.test.ts";
const SOURCES = ["src/**/*", "web/**/*", "scripts/build*.ts", "package-lock.json"];

const NAME_PATTERN = /^(-t|--test-name-pattern)\b/;

const files = (pattern: string): string[] => [...new Glob(pattern).scanSync(ROOT)];

/** As `bun test` selects: a file is run when one of the given texts stands in its path; all are when none is given. */
function selects(args: readonly string[], file: string): boolean {
  const patterns = args.filter((arg, i) => !arg.startsWith("-") && !NAME_PATTERN.test(args[i - 1] ?? ""));
  return patterns.length === 0 || patterns.some((pattern) => file.includes(pattern.replace(/^\.\//, "")));
}

function isStale(): boolean {
  if (!existsSync(EXECUTABLE)) return true;
  const built = statSync(EXECUTABLE).mtimeMs;
  return SOURCES.flatMap(files).some((file) => statSync(join(ROOT, file)).mtimeMs > built);
}

/** Prints what was skipped and the closing line. Under CI a skipped test has failed. @returns the exit code */
function conclude(result: Tally, code: number): number {
  const isCi = Boolean(process.env.CI);
  for (const { file, name, reason } of result.skipped) console.log(`skipped: ${file}: ${name}: ${reason}`);
  const ran = result.passed + result.failed;
  const reported = result.failed + (isCi ? result.skipped.length : 0);
  // A file that does not load, or an error between tests, is in no test case of the report.
  const untold = result.failed === 0 && (code !== 0 || ran === 0) ? 1 : 0;
  if (ran === 0) console.log("No test ran, which counts as a failure.");
  else if (untold > 0) console.log(`bun test ended with ${code} although no test failed: see above.`);
  if (isCi && result.skipped.length > 0) console.log("Under CI a skipped test counts as failed.");
  const failed = reported + untold;
  console.log(closingLine(result.passed, failed, isCi ? 0 : result.skipped.length));
  return failed === 0 ? 0 : 1;
}

/** One PostgreSQL for the whole run, where it is installed: each test file would start its own. */
async function usingPostgres(): Promise<void> {
  if (postgresPrograms === null || process.env.SALLYPORT_TEST_POSTGRES_URL) return;
  process.env.SALLYPORT_TEST_POSTGRES_URL = (await startPrivatePostgres()).url;
}

async function run(args: readonly string[]): Promise<number> {
  const nothing: Tally = { passed: 0, failed: 0, skipped: [] };
  if (files(NEEDS_EXECUTABLE).some((file) => selects(args, file)) && isStale()) {
    const code = await passThrough([BUN, "run", "scripts/build.ts"]);
    if (code !== 0) return conclude(nothing, code);
  }
  const folder = mkdtempSync(join(tmpdir(), "sallyport-test-"));
  try {
    const report = join(folder, "junit.xml");
    const parallel = args.some((arg) => arg.startsWith("--parallel") || arg === "--only") ? [] : ["--parallel"];
    const reporter = ["--reporter=junit", `--reporter-outfile=${report}`];
    // Starting a server or a browser on a busy machine takes longer than the five seconds that are the default.
    const patience = args.some((arg) => arg.startsWith("--timeout")) ? [] : ["--timeout=60000"];
    await usingPostgres();
    const code = await passThrough([BUN, "test", ...parallel, ...patience, ...reporter, ...args]);
    const result = existsSync(report) ? tally(readFileSync(report, "utf8")) : nothing;
    // The report also calls skipped what the name pattern left out.
    const skipped = args.some((arg) => NAME_PATTERN.test(arg)) ? [] : result.skipped;
    return conclude({ ...result, skipped }, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exit(await run(process.argv.slice(2)));
