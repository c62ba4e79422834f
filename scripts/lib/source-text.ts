/** A TypeScript text, split so that a rule never takes a comment or a string for code. */
export interface Scanned {
  /**
   * The text in its full length, with comments and the insides of strings and regular expressions blanked. Quotes are kept.
   */
  code: string;
  /** The inside of every string, or of every literal part of a template, with the offset of its opening quote. */
  strings: { at: number; value: string }[];
  /** Every comment with its markers, and the offset of the comment. */
  comments: { at: number; value: string }[];
}

/** A slash after one of these opens a regular expression. After any other text it divides. */
const BEFORE_REGEX = /(^|[(,=:[!&|?{};+\-*%~^<>]|\b(return|typeof|case|in|of|do|else|void|await|yield))\s*$/;

const blank = (text: string): string => text.replace(/[^\n]/g, " ");

/** Returns the length of the match at `at`; 1 without a match. */
function lengthOf(pattern: RegExp, source: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0].length ?? 1;
}

const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y;
const STRING = /"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?/y;
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\//y;
const TEMPLATE_PART = /(?:\\[\s\S]|\$(?!\{)|[^\\`$])*(?:\$\{|`|$)/y;

/** Scans a TypeScript text. Treats text between JSX tags as code, which does not disturb the rules here. */
export function scan(source: string): Scanned {
  const strings: Scanned["strings"] = [];
  const comments: Scanned["comments"] = [];
  let code = "";
  /** The depth of braces within each open `${`. */
  const open: number[] = [];

  const takeTemplate = (quote: number): void => {
    const start = code.length;
    const part = source.slice(start, start + lengthOf(TEMPLATE_PART, source, start));
    const end = part.endsWith("${") ? "${" : part.endsWith("`") ? "`" : "";
    strings.push({ at: quote, value: part.slice(0, part.length - end.length) });
    code += blank(part.slice(0, part.length - end.length)) + end;
    if (end === "${") open.push(0);
  };

  while (code.length < source.length) {
    const at = code.length;
    const character = source.charAt(at);
    if (/^\/[/*]/.test(source.slice(at, at + 2))) {
      const comment = source.slice(at, at + lengthOf(COMMENT, source, at));
      comments.push({ at, value: comment });
      code += blank(comment);
    } else if (character === '"' || character === "'") {
      const text = source.slice(at, at + lengthOf(STRING, source, at));
      strings.push({ at, value: text.slice(1, -1) });
      code += character + blank(text.slice(1, -1)) + (text.length > 1 ? character : "");
    } else if (character === "`") {
      code += character;
      takeTemplate(at);
    } else if (character === "/" && BEFORE_REGEX.test(code.slice(-40))) {
      code += blank(source.slice(at, at + lengthOf(REGEX, source, at)));
    } else {
      code += character;
      const depth = open.at(-1);
      if (depth === undefined) continue;
      if (character === "{") open[open.length - 1] = depth + 1;
      else if (character === "}" && depth > 0) open[open.length - 1] = depth - 1;
      else if (character === "}") {
        open.pop();
        takeTemplate(at);
      }
    }
  }
  return { code, strings, comments };
}

/** Matches up to the quote of a module's name: static, re-exporting, side-effect and dynamic imports, types, workers. */
const IMPORTS =
  /\bfrom\s*(?=["'])|\bimport\s*(?=["'])|\b(?:import|require)\s*\(\s*(?=["'`])|\bnew\s+(?:URL|Worker)\s*\(\s*(?=["'`])/g;

/** Returns the names and lines of all modules that a text refers to, including type imports and worker files. */
export function importsOf(scanned: Scanned): { line: number; name: string }[] {
  const values = new Map(scanned.strings.map(({ at, value }) => [at, value]));
  return [...scanned.code.matchAll(IMPORTS)].flatMap((match) => {
    const name = values.get(match.index + match[0].length);
    const isFile = !/URL|Worker/.test(match[0]) || /^\.{1,2}\//.test(name ?? "");
    return name !== undefined && isFile ? [{ line: lineAt(scanned.code, match.index), name }] : [];
  });
}

/** Returns the line of an offset, counted from 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
