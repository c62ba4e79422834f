import { fileURLToPath } from "node:url";
import { renderAsvs } from "./asvs/table.ts";
import { namingsIn } from "./asvs/titles.ts";
import { type ProcedureLike, renderApiTypes } from "./generate/api-types.ts";
import { renderFallback, renderMailColors } from "./generate/looks.ts";
import { readRouter } from "./generate/router.ts";
import { repositoryFiles } from "./lib/repository.ts";

/**
 * Writes the generated files: the client's types from the procedures, the colours of mails and old browsers from the tokens,
 * and the table of ASVS requirements from the test titles. `--check` writes nothing, and fails when a committed file
 * differs.
 */
const isCheck = process.argv.includes("--check");
const types = "src/sdk/client/api.gen.ts";
const fallback = "src/sdk/react/tokens-fallback.gen.css";
const mailColors = "src/mail/colors.gen.ts";
const tokens = await Bun.file(pathOf("src/sdk/react/tokens.css")).text();
const procedures = (await readRouter())._def.procedures as unknown as Record<string, ProcedureLike>;
const generated = new Map([
  [types, format(renderApiTypes(procedures), types)],
  [fallback, format(renderFallback(tokens), fallback)],
  [mailColors, format(renderMailColors(tokens), mailColors)],
  ["test/asvs.md", renderAsvs(namingsIn(await repositoryFiles()))],
]);

for (const [path, text] of generated) {
  const target = pathOf(path);
  const current = await Bun.file(target)
    .text()
    .catch(() => "");
  if (current === text) continue;
  if (isCheck) {
    console.error(`${path} does not match its sources: run \`npm run generate\` and commit the file.`);
    process.exitCode = 1;
  } else {
    await Bun.write(target, text);
  }
}

function pathOf(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

/** Formats with the project's formatter, so that a generated file needs no exemption from it. */
function format(source: string, path: string): string {
  const biome = pathOf("node_modules/.bin/biome");
  const result = Bun.spawnSync([biome, "format", `--stdin-file-path=${pathOf(path)}`], { stdin: Buffer.from(source) });
  if (result.exitCode !== 0) throw new Error(`The generated text does not parse: ${result.stderr.toString()}`);
  return result.stdout.toString();
}
