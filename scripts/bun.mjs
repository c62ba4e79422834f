/**
 * Runs a script under the project's own Bun: `node scripts/bun.mjs scripts/test.ts --bail`. Plain JavaScript for Node 18,
 * because it must work without a Bun in PATH, and when the package manager blocks Bun's install script. On a machine with
 * only Bun, `bun run` runs this file itself. Installs the packages if they are missing.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const modules = fileURLToPath(new URL("../node_modules/", import.meta.url));
// Before the install script has run, the file is a text of a few hundred bytes.
const SMALLEST_BINARY = 1_000_000;
/** Milliseconds between two progress messages during an installation. */
const PACE = 3_000;

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
      "Bun's install script was blocked. It still works; to repair it, run: node node_modules/bun/install.js",
    );
    return unlinked;
  }
  console.error(
    "The Bun for this machine is not installed, perhaps without optional dependencies: run `npm ci --include=optional`.",
  );
  process.exit(1);
}

/** Installs the packages of the lock file in a fresh clone, and shows the progress. */
async function install() {
  const [command, ...args] = process.versions.bun
    ? [process.execPath, "install", "--no-save"]
    : ["npm", "ci", "--no-fund", "--no-audit", "--loglevel=error"];
  const total = packagesInLockFile();
  console.error(`Installing ${total} packages once. This takes about half a minute.`);
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1_000);
  const progress = setInterval(() => {
    const there = Math.min(packagesThere(), total);
    console.error(`  ${String(seconds()).padStart(3)} s  ${there === 0 ? "downloading" : `${there} of ${total}`}`);
  }, PACE);
  const shell = process.platform === "win32";
  const code = await ended(spawn(command, args, { cwd: root, stdio: ["ignore", 2, 2], shell }));
  clearInterval(progress);
  if (code === 0) {
    console.error(`Installed in ${seconds()} s.`);
    return;
  }
  console.error(`The packages could not be installed, for the reason above. To try again: ${command} ${args[0]}`);
  process.exit(code);
}

/** Counts, roughly, the packages for this machine. The lock file also lists the binaries of all other machines. */
function packagesInLockFile() {
  const { packages } = JSON.parse(readFileSync(`${root}package-lock.json`, "utf8"));
  const fits = ({ os, cpu }) => (!os || os.includes(process.platform)) && (!cpu || cpu.includes(process.arch));
  return Object.entries(packages).filter(([path, entry]) => /^node_modules\//.test(path) && fits(entry)).length;
}

function packagesThere() {
  try {
    return readdirSync(modules)
      .filter((name) => !name.startsWith("."))
      .reduce((sum, name) => sum + (name.startsWith("@") ? readdirSync(`${modules}${name}`).length : 1), 0);
  } catch {
    return 0;
  }
}

/**
 * Waits for the child to end. Passes signals on, because a server that outlives this process would keep its port.
 * @returns the exit code, also for a program that cannot be started
 */
function ended(child) {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on("error", (error) => {
      console.error(error.message);
      resolve(1);
    });
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

/** Runs a script and ends this process with its exit code. */
export async function runBun(args) {
  if (!existsSync(`${modules}zod`)) await install();
  process.exit(await ended(spawn(findBun(), ["run", ...args], { stdio: "inherit" })));
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await runBun(process.argv.slice(2));
}
