/**
 * Runs the tests on SQLite, without the parts that take minutes, and ends with one line, `N passed, N failed, N skipped`.
 * With `--all` it runs everything. Paths choose files, and other options go to `bun test`:
 * `npm test -- test/crypto -t argon2`.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Glob } from "bun";
import { postgresPrograms, startPrivatePostgres, type TestPostgres } from "../test/support/postgres.ts";
import { closingLine, type Tally, tally } from "./lib/junit.ts";
import { BUN, passThrough, ROOT } from "./lib/run.ts";
import { selectFiles } from "./lib/test-files.ts";

const EXECUTABLE = join(ROOT, "dist/sallyport");
const SOURCES = ["src/**/*", "web/**/*", "scripts/build*.ts", "package-lock.json"];

const NAME_PATTERN = /^(-t|--test-name-pattern)\b/;

function isStale(): boolean {
  if (!existsSync(EXECUTABLE)) return true;
  const built = statSync(EXECUTABLE).mtimeMs;
  const sources = SOURCES.flatMap((pattern) => [...new Glob(pattern).scanSync(ROOT)]);
  return sources.some((file) => statSync(join(ROOT, file)).mtimeMs > built);
}

/** Prints the skipped tests and the closing line. Under CI a skipped test counts as failed. @returns the exit code */
function conclude(result: Tally, code: number): number {
  const isCi = Boolean(process.env.CI);
  for (const { file, name, reason } of result.skipped) console.log(`skipped: ${file}: ${name}: ${reason}`);
  const ran = result.passed + result.failed;
  const reported = result.failed + (isCi ? result.skipped.length : 0);
  // The report has no test case for a file that does not load, nor for an error between tests.
  const untold = result.failed === 0 && (code !== 0 || ran === 0) ? 1 : 0;
  if (ran === 0) console.log("No test ran, which counts as a failure.");
  else if (untold > 0) console.log(`bun test ended with ${code} although no test failed: see above.`);
  if (isCi && result.skipped.length > 0) console.log("Under CI a skipped test counts as failed.");
  const failed = reported + untold;
  console.log(closingLine(result.passed, failed, isCi ? 0 : result.skipped.length));
  return failed === 0 ? 0 : 1;
}

/** Starts one PostgreSQL for the whole run, if it is installed. Otherwise each test file would start its own. */
async function sharedPostgres(isNeeded: boolean): Promise<TestPostgres | undefined> {
  if (!isNeeded || postgresPrograms === null || process.env.SALLYPORT_TEST_POSTGRES_URL) return undefined;
  return startPrivatePostgres();
}

async function run(args: readonly string[]): Promise<number> {
  const nothing: Tally = { passed: 0, failed: 0, skipped: [] };
  const all = args.includes("--all");
  const options = args.filter((arg, i) => arg.startsWith("-") || NAME_PATTERN.test(args[i - 1] ?? ""));
  const patterns = args.filter((arg) => !options.includes(arg));
  const passedOn = options.filter((option) => option !== "--all");
  const selection = selectFiles(patterns, all);
  if (selection.drivesExecutable && isStale()) {
    const code = await passThrough([BUN, "run", "scripts/build.ts"]);
    if (code !== 0) return conclude(nothing, code);
  }
  const folder = mkdtempSync(join(tmpdir(), "sallyport-test-"));
  const postgres = await sharedPostgres(selection.usesPostgres);
  try {
    const report = join(folder, "junit.xml");
    const env: Record<string, string> = {
      SALLYPORT_TEST_FOLDER: folder,
      SALLYPORT_TEST_DATABASES: all ? "sqlite,postgres" : "sqlite",
    };
    if (postgres) env.SALLYPORT_TEST_POSTGRES_URL = postgres.url;
    // Test files leave nothing behind, so they share loaded modules. Loading is a third of all work.
    const parallel = args.some((arg) => arg.startsWith("--parallel") || arg === "--only") ? [] : ["--parallel"];
    const shared = args.includes("--isolate") ? [] : ["--no-isolate"];
    const reporter = ["--reporter=junit", `--reporter-outfile=${report}`];
    // A server or a browser on a busy machine may start more slowly than the default of five seconds.
    const patience = args.some((arg) => arg.startsWith("--timeout")) ? [] : ["--timeout=60000"];
    const files = selection.files.map((file) => `./${file}`);
    const command = [BUN, "test", ...parallel, ...shared, ...patience, ...reporter, ...passedOn, ...files];
    const code = files.length > 0 ? await passThrough(command, env) : 1;
    const result = existsSync(report) ? tally(readFileSync(report, "utf8")) : nothing;
    // The report also counts tests as skipped that the name pattern left out.
    const skipped = args.some((arg) => NAME_PATTERN.test(arg)) ? [] : result.skipped;
    if (!all) {
      const again = ["npm run test:all", ...(patterns.length > 0 ? ["--", ...patterns] : [])].join(" ");
      console.log(`Left out: ${selection.leftOut.join(", ")}. To test them too: ${again}`);
    }
    return conclude({ ...result, skipped }, code);
  } finally {
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exit(await run(process.argv.slice(2)));
