import { fileURLToPath } from "node:url";
import { type ProcedureLike, renderApiTypes } from "./generate/api-types.ts";
import { readRouter } from "./generate/router.ts";

/**
 * Writes the files that are generated from the procedures. `--check` writes nothing and fails when a committed file is not
 * what the procedures say now.
 */
const target = fileURLToPath(new URL("../src/sdk/client/api.gen.ts", import.meta.url));
const router = await readRouter();
const text = format(renderApiTypes(router._def.procedures as unknown as Record<string, ProcedureLike>), target);
const current = await Bun.file(target)
  .text()
  .catch(() => "");

if (process.argv.includes("--check")) {
  if (current !== text) {
    console.error(
      "src/sdk/client/api.gen.ts is not what the procedures say: run `npm run generate` and commit the file.",
    );
    process.exit(1);
  }
} else if (current !== text) {
  await Bun.write(target, text);
}

/** Through the project's formatter, so that a generated file needs no exemption from it. */
function format(source: string, path: string): string {
  const biome = fileURLToPath(new URL("../node_modules/.bin/biome", import.meta.url));
  const result = Bun.spawnSync([biome, "format", `--stdin-file-path=${path}`], { stdin: Buffer.from(source) });
  if (result.exitCode !== 0) throw new Error(`The generated text does not parse: ${result.stderr.toString()}`);
  return result.stdout.toString();
}
