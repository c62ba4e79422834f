import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Block } from "./blocks.ts";

const LANGUAGES: Readonly<Record<string, string>> = { ts: "ts", tsx: "tsx", js: "mjs", jsx: "jsx" };

export function isCode(block: Block): boolean {
  return block.language in LANGUAGES;
}

const CONFIG = {
  compilerOptions: {
    target: "ES2023",
    module: "ESNext",
    moduleResolution: "bundler",
    lib: ["ES2023", "DOM", "DOM.Iterable"],
    types: ["node"],
    jsx: "react-jsx",
    strict: true,
    noUncheckedIndexedAccess: true,
    allowJs: true,
    checkJs: true,
    noEmit: true,
    skipLibCheck: true,
    noUncheckedSideEffectImports: false,
  },
  include: ["*.ts", "*.tsx", "*.mjs", "*.jsx"],
};

/**
 * Type-checks every code block as a module of a project that has the packed SDK and nothing else of this repository.
 * @param modules the packages that the blocks may import, from the clone
 * @param sdk the installed package
 * @returns the compiler's errors with the place of each block, or an empty text
 */
export async function typeCheck(
  folder: string,
  blocks: readonly Block[],
  { modules, sdk, tsc }: { modules: string; sdk: string; tsc: string },
): Promise<string> {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  for (const name of readdirSync(modules)) {
    if (name !== "sallyport" && !name.startsWith("."))
      symlinkSync(join(modules, name), join(folder, "node_modules", name));
  }
  symlinkSync(sdk, join(folder, "node_modules/sallyport"));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(CONFIG));
  let before = "";
  for (const block of blocks.filter(isCode)) {
    const text = block.mark.kind === "continues" ? `${before}\n${block.text}` : block.text;
    before = text;
    const name = `${basename(block.document, ".md")}-${block.line}.${LANGUAGES[block.language]}`;
    writeFileSync(join(folder, name), `${text}\nexport {};\n`);
  }
  const child = Bun.spawn([tsc, "-p", folder, "--pretty", "false"], { cwd: folder, stdout: "pipe", stderr: "pipe" });
  const output = await new Response(child.stdout).text();
  return (await child.exited) === 0 ? "" : output;
}
