import type { SourceFile } from "../lib/repository.ts";
import { lineAt, scan } from "../lib/source-text.ts";

/** A test title that names requirements. */
export interface Naming {
  /** The path from the root. */
  file: string;
  line: number;
  /** The title without the ids. */
  title: string;
  ids: string[];
}

const ID = /\d+\.\d+\.\d+/g;
/** The ids follow the word directly, separated by commas or "and", so the section numbers of an RFC do not count. */
const NAMED = /ASVS ((?:\d+\.\d+\.\d+(?:, | and )?)*)/g;

/** Returns the titles of tests, groups and scenarios that name ASVS, in the order of their paths. Comments do not count. */
export function namingsIn(files: readonly SourceFile[]): Naming[] {
  const tests = files.filter(({ path }) => /^test\/.*\.test\.tsx?$/.test(path));
  return tests.sort((a, b) => (a.path < b.path ? -1 : 1)).flatMap(namingsOf);
}

function namingsOf({ path, text }: SourceFile): Naming[] {
  if (!text.includes("ASVS")) return [];
  const namings: Naming[] = [];
  let before = "";
  for (const { at, value } of scan(text).strings) {
    // This is the part of a template after a `${…}`, so the title began earlier.
    const whole = text[at] === "}" ? `${before}…${value}` : value;
    before = whole;
    if (!/\bASVS\b/.test(value)) continue;
    const ids = [...value.matchAll(NAMED)].flatMap(([, list = ""]) => list.match(ID) ?? []);
    namings.push({ file: path, line: lineAt(text, at), title: bare(whole), ids });
  }
  return namings;
}

/** Removes the ids: `x (RFC 8725; ASVS 9.1.1, 9.1.2)` becomes `x (RFC 8725)`. */
function bare(title: string): string {
  return title
    .replaceAll('\\"', '"')
    .replace(/[;,]? ?ASVS (?:\d+\.\d+\.\d+(?:, | and )?)*:? ?/g, "")
    .replace(/\([;,] ?/g, "(")
    .replace(/ ?\(\)/g, "")
    .replace(/ +/g, " ")
    .trim();
}
