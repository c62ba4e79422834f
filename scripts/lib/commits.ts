import type { Problems } from "./repository.ts";
import { capture } from "./run.ts";

/** Older commits have another form. A clone without this commit has nothing to check. */
const SINCE = "4b2b5be3";
const LONGEST = 72;
/** `tests: restore the template in one statement`. The summary begins with a verb in lower case. */
const SUBJECT = /^[a-z][a-z0-9-]*(\/[a-z0-9-]+)*: [a-z]\S* \S.*[^.]$/;

export interface Commit {
  /** The abbreviated hash. */
  hash: string;
  subject: string;
  body: string;
}

/** Returns the commits since the form was agreed, without merges. Empty in a shallow clone and outside of git. */
async function recentCommits(): Promise<Commit[]> {
  const format = "--format=%h%x1f%s%x1f%b%x1e";
  const { code, output } = await capture(["git", "log", "--no-merges", format, `${SINCE}..HEAD`]);
  if (code !== 0) return [];
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
