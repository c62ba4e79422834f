import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../../scripts/lib/run.ts";
import { type Block, blocksOf } from "./blocks.ts";

const GUIDES = "web/docs";

/** The README comes first, because it starts the appliance that the guides use. */
export const documents: readonly string[] = [
  "README.md",
  ...readdirSync(join(ROOT, GUIDES))
    .filter((name) => name.endsWith(".md"))
    .sort()
    .map((name) => `${GUIDES}/${name}`),
  "CONTRIBUTING.md",
];

export function textOf(document: string): string {
  return readFileSync(join(ROOT, document), "utf8");
}

export function allBlocks(): Block[] {
  return documents.flatMap((document) => blocksOf(document, textOf(document)));
}
