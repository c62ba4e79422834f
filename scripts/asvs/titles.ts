import type { SourceFile } from "../lib/repository.ts";
import { lineAt, scan } from "../lib/source-text.ts";

/** A test's title that names requirements. */
export interface Naming {
  /** From the root. */
  file: string;
  line: number;
  /** Without the ids. */
  title: string;
  ids: string[];
}

const ID = /\d+\.\d+\.\d+/g;
/** The ids stand directly behind the word, with commas or "and" between them: numbers of an RFC's sections are none. */
const NAMED = /ASVS ((?:\d+\.\d+\.\d+(?:, | and )?)*)/g;

/** Titles of tests, of groups and of scenarios: strings of test files; comments do not count. In the order of their paths. */
export function namingsIn(files: readonly SourceFile[]): Naming[] {
  const tests = files.filter(({ path }) => /^test\/.*\.test\.tsx?$/.test(path));
  return tests.sort((a, b) => (a.path < b.path ? -1 : 1)).flatMap(namingsOf);
}

function namingsOf({ path, text }: SourceFile): Naming[] {
  if (!text.includes("ASVS")) return [];
  const namings: Naming[] = [];
  let before = "";
  for (const { at, value } of scan(text).strings) {
    // A template's part behind a `${…}`: the title began before.
    const whole = text[at] === "}" ? `${before}…${value}` : value;
    before = whole;
    if (!/\bASVS\b/.test(value)) continue;
    const ids = [...value.matchAll(NAMED)].flatMap(([, list = ""]) => list.match(ID) ?? []);
    namings.push({ file: path, line: lineAt(text, at), title: bare(whole), ids });
  }
  return namings;
}

/** `x (RFC 8725; ASVS 9.1.1, 9.1.2)` is `x (RFC 8725)`. */
function bare(title: string): string {
  return title
    .replaceAll('\\"', '"')
    .replace(/[;,]? ?ASVS (?:\d+\.\d+\.\d+(?:, | and )?)*:? ?/g, "")
    .replace(/\([;,] ?/g, "(")
    .replace(/ ?\(\)/g, "")
    .replace(/ +/g, " ")
    .trim();
}
