import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { eventually } from "../support/eventually.ts";

setDefaultTimeout(120_000);

const ROOT = resolve(import.meta.dir, "../..");
const node = Bun.which("node");
const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** Creates a clone without packages, with an `npm` that runs the given commands. */
function freshClone(npm: string): { root: string; env: Record<string, string | undefined> } {
  const root = mkdtempSync(join(tmpdir(), "sallyport-clone-"));
  directories.push(root);
  for (const path of ["package.json", "package-lock.json", "scripts/bun.mjs", "scripts/cli"]) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    cpSync(join(ROOT, path), join(root, path), { recursive: true });
  }
  mkdirSync(join(root, "programs"));
  writeFileSync(join(root, "programs/npm"), `#!/bin/sh\n${npm}\n`);
  chmodSync(join(root, "programs/npm"), 0o755);
  return { root, env: { ...process.env, PATH: `${join(root, "programs")}${delimiter}${process.env.PATH}` } };
}

async function launch({ root, env }: ReturnType<typeof freshClone>, script: string) {
  writeFileSync(join(root, "script.ts"), script);
  const child = Bun.spawn([node ?? "node", "scripts/bun.mjs", "script.ts"], {
    cwd: root,
    env,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, stdout, stderr };
}

/** Creates the packages of a real installation, including Bun. */
const INSTALL = `mkdir -p node_modules/zod node_modules/kysely node_modules/@scope/one node_modules/bun/bin
cp "${process.execPath}" node_modules/bun/bin/bun.exe`;

describe.skipIf(node === null)("the launcher in a fresh clone", () => {
  test("shows the progress of the installation, then runs the script", async () => {
    const clone = freshClone(`${INSTALL}\nsleep 4`);
    const { code, stdout, stderr } = await launch(clone, "console.log('ran');");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "ran\n" });
    expect(stderr).toMatch(/^Installing \d{3} packages once\. .*\n {4}3 s {2}4 of \d{3}\nInstalled in \d s\.\n$/);
  });

  test("says how to try again when the installation fails", async () => {
    const { code, stdout, stderr } = await launch(freshClone("echo no network >&2; exit 7"), "console.log('ran');");
    expect({ code, stdout }).toEqual({ code: 7, stdout: "" });
    expect(stderr).toMatch(/no network\nThe packages could not be installed, .* To try again: npm ci\n$/);
  });

  test("passes signals on, so that no server outlives it", async () => {
    const clone = freshClone(INSTALL);
    const script = `await Bun.write("pid", String(process.pid)); process.on("SIGTERM", () => process.exit(9)); setInterval(() => {}, 1000);`;
    writeFileSync(join(clone.root, "script.ts"), script);
    const child = Bun.spawn([node ?? "node", "scripts/bun.mjs", "script.ts"], {
      cwd: clone.root,
      env: clone.env,
      stdout: "ignore",
      stderr: "ignore",
    });
    await eventually(() => expect(existsSync(join(clone.root, "pid"))).toBeTrue());
    child.kill("SIGTERM");
    expect(await child.exited).toBe(9);
    expect(() => process.kill(Number(readFileSync(join(clone.root, "pid"), "utf8")), 0)).toThrow();
  });
});

describe("npx sallyport", () => {
  test("runs the source of the clone, from any of its folders", async () => {
    const child = Bun.spawn(["npx", "sallyport", "--version"], {
      cwd: join(ROOT, "src"),
      stdout: "pipe",
      stderr: "pipe",
    });
    expect(await new Response(child.stdout).text()).toMatch(/^sallyport \d+\.\d+\.\d+ \(source; /);
    expect(await child.exited).toBe(0);
  });

  test("belongs to the clone: the published package holds only the SDK", async () => {
    const child = Bun.spawn(["npm", "pack", "--dry-run", "--ignore-scripts", "--json"], {
      cwd: ROOT,
      stdout: "pipe",
      stderr: "ignore",
    });
    const packed = Object.values(JSON.parse(await new Response(child.stdout).text()) as object)[0] as {
      files: { path: string }[];
    };
    const outside = packed.files.map(({ path }) => path).filter((path) => !path.startsWith("dist/sdk/"));
    expect(outside.sort()).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "package.json"]);
    expect(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"))).not.toHaveProperty("bin");
  });
});
