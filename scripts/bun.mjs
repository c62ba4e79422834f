/**
 * Runs a script under the project's own Bun: `node scripts/bun.mjs scripts/test.ts --bail`. Plain JavaScript for Node 18,
 * because it must work where no Bun is in PATH, and where the package manager blocked Bun's install script. On a machine
 * that has only Bun, `bun run` runs this file itself. Installs the packages where there are none yet.
 */
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const modules = fileURLToPath(new URL("../node_modules/", import.meta.url));
// What stands there before the install script has run is a text of a few hundred bytes.
const SMALLEST_BINARY = 1_000_000;

function isBinary(path) {
  return existsSync(path) && statSync(path).size > SMALLEST_BINARY;
}

function findBun() {
  if (process.versions.bun) return process.execPath;
  const installed = `${modules}bun/bin/bun.exe`;
  if (isBinary(installed)) return installed;
  const arch = process.arch === "arm64" ? "aarch64" : process.arch;
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const suffixes = ["", "-musl"];
  const binary = platform === "windows" ? "bun.exe" : "bun";
  const unlinked = suffixes
    .map((suffix) => `${modules}@oven/bun-${platform}-${arch}${suffix}/bin/${binary}`)
    .find(isBinary);
  if (unlinked) {
    console.error(
      "Bun's install script was blocked. Going on without it; to mend it: node node_modules/bun/install.js",
    );
    return unlinked;
  }
  console.error(
    "The Bun of this machine's kind is not installed (optional dependencies left out?): run `npm ci --include=optional`.",
  );
  process.exit(1);
}

/** A fresh clone has no packages yet: the first command of whoever cloned it gets them, from the lock file. */
function install() {
  console.error("Installing the packages (once)…");
  const shell = process.platform === "win32";
  const [command, ...args] = process.versions.bun ? [process.execPath, "install", "--no-save"] : ["npm", "ci"];
  const done = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2], shell });
  if (done.status === 0) return;
  console.error("The packages could not be installed; what went wrong stands above.");
  process.exit(done.status ?? 1);
}

if (!existsSync(`${modules}zod`)) install();
const run = spawnSync(findBun(), ["run", ...process.argv.slice(2)], { stdio: "inherit" });
if (run.error) console.error(run.error.message);
process.exit(run.status ?? 1);
