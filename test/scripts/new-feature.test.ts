import { expect, test } from "bun:test";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../scripts/lib/run.ts";

const PARTS = ["src", "web", "test", "scripts", "package.json", "tsconfig.json", "biome.json", ".gitignore"];

function run(root: string, ...command: string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, ...command], { cwd: root });
  return { exitCode, output: `${stdout}${stderr}` };
}

test("a new feature type-checks and works, and its test fails until it is written", () => {
  const root = mkdtempSync(join(tmpdir(), "sallyport-new-feature-"));
  try {
    for (const part of PARTS) cpSync(join(ROOT, part), join(root, part), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
    Bun.spawnSync(["git", "init", "-q"], { cwd: root });
    const made = run(root, "scripts/new-feature.ts", "lucky-number");
    expect(made).toMatchObject({ exitCode: 0 });
    expect(made.output).toContain("src/features/lucky-number/store.ts");

    expect(run(root, "node_modules/typescript/bin/tsc", "--noEmit", "-p", ".")).toEqual({ exitCode: 0, output: "" });
    expect(run(root, "test", "test/architecture.test.ts")).toMatchObject({ exitCode: 0 });
    const written = run(root, "test", "test/features/lucky-number");
    expect(written.exitCode).not.toBe(0);
    expect(written.output).toContain("(pass) lucky-number (sqlite) > accepts only a value of the allowed length");
    expect(written.output).toContain("Write this test");

    expect(run(root, "scripts/new-feature.ts", "lucky-number").output).toContain("exists already");
    expect(run(root, "scripts/new-feature.ts", "LuckyNumber").output).toContain("kebab-case");
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}, 120_000);
