/**
 * The work list of the plain English check: prints the problems in the files that wait for a rewrite.
 *
 *     node scripts/bun.mjs scripts/plain-english.ts src/mail test/mail    prints the problems under these paths
 *     node scripts/bun.mjs scripts/plain-english.ts --update              lists exactly the files that have problems now
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { POSTPONED, phraseProblems, postponedPaths } from "./lib/plain-english.ts";
import { repositoryFiles } from "./lib/repository.ts";
import { ROOT } from "./lib/run.ts";

const args = process.argv.slice(2);
const files = await repositoryFiles();

if (args.includes("--update")) {
  const before = postponedPaths();
  const now = files.filter((file) => phraseProblems(file).length > 0).map(({ path }) => path);
  if (now.length === 0) rmSync(join(ROOT, POSTPONED), { force: true });
  else writeFileSync(join(ROOT, POSTPONED), `${now.sort().join("\n")}\n`);
  console.log(`${POSTPONED}: ${before.length} paths before, ${now.length} now`);
} else {
  const chosen = files.filter(({ path }) => args.length === 0 || args.some((prefix) => path.startsWith(prefix)));
  const problems = chosen.flatMap(phraseProblems);
  for (const problem of problems) console.log(problem);
  console.log(`${problems.length} problems in ${chosen.length} files`);
}
