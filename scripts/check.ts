/** Checks the repository without running the application. All checks run, even if one fails. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { commitProblems } from "./lib/commits.ts";
import { phraseProblems } from "./lib/plain-english.ts";
import {
  exportProblems,
  lengthProblems,
  nameProblems,
  type Problems,
  repositoryFiles,
  type SourceFile,
  textProblems,
} from "./lib/repository.ts";
import { BUN, capture, ROOT } from "./lib/run.ts";

interface Check {
  name: string;
  /** Returns the problems; an empty text is a pass. */
  run: () => Promise<string>;
}

/** Runs a tool of node_modules with this Bun, so that no Node is needed. */
function tool(name: string, command: readonly string[]): Check {
  return bunRun(name, ["run", "--bun", ...command]);
}

function bunRun(name: string, args: readonly string[]): Check {
  const run = async (): Promise<string> => {
    const { code, output } = await capture([BUN, ...args]);
    return code === 0 ? "" : output.trim() || `ended with ${code}`;
  };
  return { name, run };
}

function rule(name: string, find: (files: readonly SourceFile[]) => Problems): Check {
  return { name, run: async () => find(await repositoryFiles()).join("\n") };
}

const generator = "scripts/generate.ts";
const checks: Check[] = [
  tool("format", ["biome", "format"]),
  tool("lint", ["biome", "lint", "--error-on-warnings"]),
  tool("types", ["tsc", "--noEmit", "-p", "."]),
  tool("unused exports and dependencies", ["knip", "--no-progress", "--no-config-hints"]),
  ...(existsSync(join(ROOT, generator)) ? [bunRun("generated files", ["run", generator, "--check"])] : []),
  bunRun("architecture", ["test", "test/architecture.test.ts"]),
  bunRun("names in the guides", ["test", "test/docs/references.test.ts", "test/docs/conventions.test.ts"]),
  rule("texts", textProblems),
  rule("file lengths", lengthProblems),
  rule("file names", nameProblems),
  rule("names exported twice", exportProblems),
  rule("plain English", (files) => files.flatMap(phraseProblems)),
  { name: "commit messages", run: async () => (await commitProblems()).join("\n") },
];

const failures: { name: string; problem: string }[] = [];
for (const { name, run } of checks) {
  const started = performance.now();
  const problem = await run().catch((error: unknown) => String(error));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (problem !== "") failures.push({ name, problem });
  console.log(`${problem === "" ? "ok    " : "FAILED"}  ${seconds.padStart(5)} s  ${name}`);
}
for (const { name, problem } of failures) console.log(`\n== ${name}\n${problem}`);
if (failures.length > 0) console.log();
console.log(`${checks.length - failures.length} checks passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);
