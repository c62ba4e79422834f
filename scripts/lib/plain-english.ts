import { proseOf } from "./prose.ts";
import type { Problems, SourceFile } from "./repository.ts";
import { lineAt } from "./source-text.ts";

/** Files that scripts write. Their sentences are checked at the source. */
const GENERATED = /\.gen\.ts$|^test\/asvs\.md$/;
/** Files that show bad sentences on purpose. */
const EXAMPLES = /^CONTRIBUTING\.md$|^test\/scripts\/plain-english\.test\.ts$|^scripts\/lib\/plain-english\.ts$/;

interface Pattern {
  /** The name of the pattern in a report, with the remedy. */
  name: string;
  /** A blank matches any white space, including a line break in a wrapped sentence. */
  pattern: RegExp;
}

/** The start of a sentence, of a comment or of a string. A colon or a semicolon also starts a sentence. */
const START = String.raw`(?<=(?:^|\0|[.!;:])\s*)`;
/** Questions may begin with these words. */
const NO_QUESTION = String.raw`(?![^.!;\0]*\?)`;
/** The verbs that may follow "who". "Who to ask" and "who the owner is" are allowed. */
const VERB = String.raw`(?:is|are|was|were|has|have|had|can|may|must|will|would|does|[a-z]+s|never|cannot)\b`;

function pattern(name: string, source: string): Pattern {
  return { name, pattern: new RegExp(source.replaceAll(" ", String.raw`\s+`), "g") };
}

const PATTERNS: readonly Pattern[] = [
  pattern(`"whoever": name the person`, String.raw`\b[Ww]hoever\b`),
  pattern(`"for who …": name the person`, String.raw`\b(?:for|of|to|by|with|from|than|at|on|in) who\b(?! they are\b)`),
  pattern(`"Who …" as a subject: name the person`, String.raw`${START}[Ww]ho ${VERB}${NO_QUESTION}`),
  pattern(
    `"What …" as a subject: name the thing`,
    String.raw`${START}[Ww]hat\b(?! (?:to|happens|matters|if)\b)${NO_QUESTION}`,
  ),
  pattern(
    `"for what …": name the thing`,
    String.raw`\b(?:for|of|to|by|with|from|null for) what (?!it (?:is|was) worth\b)`,
  ),
  pattern(`"what is no …": say "unless this is a …"`, String.raw`\b[Ww]hat (?:is|was|are) no\b`),
  pattern(`"that which": name the thing`, String.raw`\bthat which\b`),
  pattern(
    `"is no …": say "is not a …"`,
    String.raw`(?<!\b[Tt]here )\b(?:is|are|was|were) no (?!longer\b|more\b|less\b|fewer\b|better\b)(?=[a-z])`,
  ),
  pattern(
    `"is none": say "is not a …"`,
    String.raw`(?<!\b[Tt]here )\b(?:is|are|was|were) none\b(?! of (?:these|those|them)\b)`,
  ),
  pattern(`"of ours": say "our …", or name the thing`, String.raw`\bof ours\b`),
  pattern(`"tells of": say "reports" or "says that"`, String.raw`\b(?:tells?|told) of\b`),
  pattern(`"nobody of": say "no user of"`, String.raw`\b(?:[Nn]obody|[Ss]omebody|[Aa]nybody|[Ee]verybody) of\b`),
  pattern(`"for want of": say "because there is no"`, String.raw`\bfor want of\b`),
  pattern(`"at this moment": say "now"`, String.raw`\bat this moment\b`),
];

/** Returns a problem for each bad turn of phrase, `path:line: its name: its words`. */
export function phraseProblems(file: SourceFile): Problems {
  if (GENERATED.test(file.path) || EXAMPLES.test(file.path)) return [];
  const prose = proseOf(file);
  if (prose === null) return [];
  return PATTERNS.flatMap(({ name, pattern }) =>
    [...prose.matchAll(pattern)].map(({ index, 0: { length } }) => {
      const words = file.text.slice(index, index + Math.max(length, 30)).replace(/\s*\n\s*(\/\/|\*(?!\/))?\s*/g, " ");
      return { line: lineAt(file.text, index), text: `${name} (${words.trim()})` };
    }),
  )
    .sort((a, b) => a.line - b.line)
    .map(({ line, text }) => `${file.path}:${line}: ${text}`);
}
