/**
 * Builds dist/sallyport, a single file without dependencies, and the SDK package.
 *
 *   npm run build [-- --target bun-linux-arm64 --outfile dist/sallyport-arm64]
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { BUN, capture, passThrough, ROOT } from "./lib/run.ts";

/** Far longer than a start takes. Ends an executable that hangs. */
const START_MS = 20_000;
const ADDON = "@node-rs/argon2";

function fail(sentence: string): never {
  console.error(`build: ${sentence}`);
  process.exit(1);
}

function packageVersion(folder: string): string {
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
  return version;
}

/** Returns the addon's binding for a target, `linux-arm64-musl` for `bun-linux-arm64-musl`, or the machine's own binding. */
function bindingOf(target: string | undefined): string {
  const musl = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  const own = `${process.platform}-${process.arch}${musl?.header?.glibcVersionRuntime ? "" : "-musl"}`;
  const [os, arch, ...rest] = (target?.replace(/^bun-/, "") ?? own).split("-");
  const platform = os === "windows" ? "win32" : os;
  if (!platform || (arch !== "x64" && arch !== "arm64"))
    fail(`unknown target ${target}. Name a target such as bun-linux-arm64.`);
  const libc = { linux: rest.includes("musl") ? "-musl" : "-gnu", win32: "-msvc" }[platform] ?? "";
  return `${platform}-${arch}${libc}`;
}

/** Requires the target's binding. Without it the build would succeed, and the executable would hash passwords slowly. */
function requireBinding(target: string | undefined): void {
  const addon = join(ROOT, "node_modules", ADDON);
  if (!existsSync(addon)) fail("the packages are not installed: run `npm ci`.");
  const binding = `${ADDON}-${bindingOf(target)}`;
  if (existsSync(join(ROOT, "node_modules", binding))) return;
  const install = `npm install --no-save --force ${binding}@${packageVersion(addon)}`;
  fail(`${binding} is not installed, and without it the executable hashes passwords slowly: run \`${install}\`.`);
}

async function commitOf(): Promise<string> {
  const { code, output } = await capture(["git", "rev-parse", "--short=12", "HEAD"]);
  return code === 0 ? output.trim() : "unknown";
}

/** Starts the executable far from any node_modules, and checks that it prints this version and commit. */
async function tryOut(executable: string, version: string, commit: string): Promise<void> {
  const elsewhere = mkdtempSync(join(tmpdir(), "sallyport-build-"));
  try {
    const child = Bun.spawn([executable, "version"], {
      cwd: elsewhere,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: START_MS,
    });
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    if (code !== 0 || !out.includes(version) || !out.includes(commit))
      fail(`\`sallyport version\` ended with ${code}:\n${out}${err}`);
  } finally {
    rmSync(elsewhere, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: { target: { type: "string" }, outfile: { type: "string", default: "dist/sallyport" } },
});
const started = performance.now();
const version = packageVersion(ROOT);
const commit = await commitOf();
const outfile = resolve(ROOT, values.outfile);

requireBinding(values.target);
mkdirSync(dirname(outfile), { recursive: true });
const built = await capture([
  BUN,
  "build",
  "--compile",
  "--production",
  "--splitting",
  "--bytecode",
  "--format=esm",
  // An auth appliance must not load code or settings from the directory that it was started in.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  ...(values.target ? [`--target=${values.target}`] : []),
  `--define=SALLYPORT_COMMIT=${JSON.stringify(commit)}`,
  `--outfile=${outfile}`,
  // The only entry point. Workers are embedded as text: the main thread would also run a worker that is another entry point,
  // and the executable would never end.
  "src/main.ts",
]);
if (built.code !== 0) fail(`bun build ended with ${built.code}:\n${built.output}`);

const written = existsSync(outfile) ? outfile : `${outfile}.exe`;
if (!values.target) await tryOut(written, version, commit);
const megabytes = (statSync(written).size / 1e6).toFixed(1);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(`${values.outfile}: sallyport ${version} (${commit}), ${megabytes} MB, ${seconds} s`);

if (!values.target && existsSync(join(ROOT, "scripts/build-sdk.ts"))) {
  const code = await passThrough([BUN, "run", "scripts/build-sdk.ts"]);
  if (code !== 0) process.exit(code === -1 ? 1 : code);
}
