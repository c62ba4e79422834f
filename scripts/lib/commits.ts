import type { Problems } from "./repository.ts";
import { capture } from "./run.ts";

/** The commit that added this file agreed on the form. Older commits have another one. */
const AGREEMENT = "CONTRIBUTING.md";
const LONGEST = 72;
/** `tests: restore the template in one statement`. The summary begins with a verb in lower case. */
const SUBJECT = /^[a-z][a-z0-9-]*([/][a-z0-9-]+|, [a-z0-9-]+)*: [a-z]\S* \S.*[^.]$/;

export interface Commit {
  /** The abbreviated hash. */
  hash: string;
  subject: string;
  body: string;
}

/**
 * Returns the commits since the form was agreed, without merges. Empty in a shallow clone and outside of git.
 * @throws Error if git knows the file and cannot list the commits: a check that sees nothing must not pass
 */
async function recentCommits(): Promise<Commit[]> {
  const added = await capture(["git", "log", "--diff-filter=A", "--format=%H", "--", AGREEMENT]);
  const since = added.code === 0 ? added.output.trim().split("\n").at(-1) : undefined;
  if (!since) return [];
  const format = "--format=%h%x1f%s%x1f%b%x1e";
  const { code, output } = await capture(["git", "log", "--no-merges", format, `${since}..HEAD`]);
  if (code !== 0) throw new Error(`git log failed: ${output.trim()}`);
  return output
    .split("\x1e")
    .map((record) => record.trim().split("\x1f"))
    .filter(([hash = ""]) => hash !== "")
    .map(([hash = "", subject = "", body = ""]) => ({ hash, subject, body: body.trim() }));
}

export function commitFaults({ subject, body }: Commit): string[] {
  return [
    ...(SUBJECT.test(subject) ? [] : [`the subject is not "area: imperative summary" without a full stop`]),
    ...(subject.length <= LONGEST ? [] : [`the subject has ${subject.length} characters, more than ${LONGEST}`]),
    ...(body === "" ? ["the body is missing: say why the change is made"] : []),
  ];
}

/** Returns a line for each fault, `commit abc1234 (its subject): what to change`. */
export async function commitProblems(): Promise<Problems> {
  const commits = await recentCommits();
  return commits.flatMap((commit) =>
    commitFaults(commit).map((fault) => `commit ${commit.hash} (${commit.subject}): ${fault}`),
  );
}
