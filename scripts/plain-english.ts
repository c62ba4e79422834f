/**
 * Prints the sentences that the plain English check finds under some paths, or in the whole repository.
 *
 *     node scripts/bun.mjs scripts/plain-english.ts src/mail test/mail
 */
import { phraseProblems } from "./lib/plain-english.ts";
import { repositoryFiles } from "./lib/repository.ts";

const prefixes = process.argv.slice(2);
const files = (await repositoryFiles()).filter(
  ({ path }) => prefixes.length === 0 || prefixes.some((prefix) => path.startsWith(prefix)),
);
const problems = files.flatMap(phraseProblems);
for (const problem of problems) console.log(problem);
console.log(`${problems.length} problems in ${files.length} files`);
