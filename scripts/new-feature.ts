/**
 * Creates a capability: `npm run new-feature -- device-names` makes its folder, its table with a migration, its line in the
 * registry and a test. The code works and type-checks; the test fails until you write it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { capture, ROOT } from "./lib/run.ts";
import { featureFiles, type Names } from "./new-feature/files.ts";

function fail(sentence: string): never {
  console.error(`new-feature: ${sentence}`);
  process.exit(1);
}

const [name = ""] = process.argv.slice(2);
if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) fail("Give a name in kebab-case, such as device-names.");
if (existsSync(join(ROOT, "src/features", name))) fail(`src/features/${name} exists already. Give another name.`);
const camel = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
const numbers = readdirSync(join(ROOT, "src/storage/migrations")).map((file) => Number.parseInt(file, 10) || 0);
const names: Names = {
  name,
  camel,
  pascal: camel.charAt(0).toUpperCase() + camel.slice(1),
  snake: name.replaceAll("-", "_"),
  migration: Math.max(...numbers) + 1,
};

const made = new Map(featureFiles(names));

/** Inserts a line at the end of a list, and an import at the top. */
function edit(path: string, list: RegExp, line: string, importLine?: string): void {
  const text = readFileSync(join(ROOT, path), "utf8");
  const [found] = list.exec(text) ?? [];
  if (found === undefined) fail(`${path} has an unexpected shape. Add this line by hand: ${line}`);
  const end = text.indexOf(found) + found.length;
  const close = text.slice(0, end).search(/[}\]];?$/);
  const before = text
    .slice(0, close)
    .trimEnd()
    .replace(/,?$/, text.slice(0, close).trimEnd().endsWith(";") ? "" : ",");
  const imports = importLine === undefined ? "" : `${importLine}\n`;
  made.set(path, `${imports}${before}\n${line}\n${text.slice(close)}`);
}

const { snake, pascal } = names;
const migration = `${String(names.migration).padStart(4, "0")}-${name}`;
edit(
  "src/features/index.ts",
  /export const features = \{[^}]*\};/,
  `  ${camel},`,
  `import { ${camel} } from "./${name}/index.ts";`,
);
edit(
  "src/storage/migrations/all.ts",
  /export const migrations[^[]*\[\] = \[[^\]]*\];/,
  camel,
  `import { ${camel} } from "./${migration}.ts";`,
);
edit(
  "src/storage/schema.ts",
  /export interface Database \{[^}]*\}/,
  `  ${snake}_records: ${pascal}RecordsTable;`,
  `import type { ${pascal}RecordsTable } from "./migrations/${migration}.ts";`,
);
edit("src/storage/owners.ts", /export const OWNERS[^{]*\{[^}]*\};/, `  ${snake}_records: "features/${name}",`);

for (const [path, text] of made) {
  mkdirSync(dirname(join(ROOT, path)), { recursive: true });
  writeFileSync(join(ROOT, path), text);
}
const biome = join(ROOT, "node_modules/.bin/biome");
const { code, output } = await capture([process.execPath, "run", "--bun", biome, "check", "--write", ...made.keys()]);
if (code !== 0) fail(`The files are written, but not formatted:\n${output}`);
for (const path of made.keys()) console.log(path);
console.log(`\nNext: write test/features/${name}/${name}.test.ts, then npm run check and npm test -- test/features.`);
