import type { SourceFile } from "./repository.ts";
import { scan } from "./source-text.ts";

/** Stands for any text that is not prose. No pattern for words matches it, so no match spans two comments or strings. */
const GAP = "\0";
/** Stands for code within a sentence, such as `null`. The sentence continues after it. */
const CODE_WORD = "_";

const SCRIPT = /\.(tsx?|mjs)$/;
const MARKDOWN = /\.md$/;
const HASH_COMMENTS = /\.(py|rb|sh|toml|ya?ml)$|^\.ci\//;
const SLASH_COMMENTS = /\.(go|java|rs|php|css)$/;
const PAGE = /\.html$/;

/** Matches strings of three words or more. Shorter strings are names and values. */
const THREE_WORDS = /\S\s+\S+\s+\S/;

const keep = (text: string, filler: string): string => text.replace(/\S/g, filler);

/** Replaces code between backticks, word for word, and keeps every offset. */
function withoutInlineCode(text: string): string {
  return text.replace(/`[^`]*`/g, (code) => keep(code, CODE_WORD));
}

/** Blanks the markers of a comment: its slashes, and the star at the start of each line. */
function commentText(comment: string): string {
  const markers = /^\/\*+|\*+\/$|^[ \t]*(\/\/+|\*|#+)|@\w+/gm;
  return withoutInlineCode(comment.replace(markers, (marker) => keep(marker, /^@/.test(marker) ? GAP : " ")));
}

/** Places pieces of prose over a text of gaps, at their offsets in the file. */
function overlay(text: string, pieces: readonly { at: number; value: string }[]): string {
  let result = "";
  for (const { at, value } of pieces) {
    result += keep(text.slice(result.length, at), GAP) + value;
  }
  return result + keep(text.slice(result.length), GAP);
}

function scriptProse(text: string): string {
  const { strings, comments } = scan(text);
  const sentences = strings.filter(({ value }) => THREE_WORDS.test(value));
  const pieces = [
    ...comments.map(({ at, value }) => ({ at, value: commentText(value) })),
    ...sentences.map(({ at, value }) => ({ at: at + 1, value: withoutInlineCode(value) })),
  ];
  return overlay(
    text,
    pieces.sort((a, b) => a.at - b.at),
  );
}

/** Returns Markdown without fenced blocks, inline code and link addresses. A cell or a list item is a sentence. */
function markdownProse(text: string): string {
  return withoutInlineCode(
    text
      .replace(/^( *)(```|~~~)[\s\S]*?^\1\2/gm, (block) => keep(block, GAP))
      .replace(/\]\([^)]*\)/g, (link) => keep(link, CODE_WORD))
      .replace(/^\s*(#+|[-*]|\d+\.|>)(?=\s)|\|/gm, (marker) => keep(marker, GAP)),
  );
}

/**
 * Returns a text of the same length that keeps only sentences for people: comments, messages, test titles and Markdown.
 * Returns null for a file without any, such as data.
 */
export function proseOf({ path, text }: SourceFile): string | null {
  if (SCRIPT.test(path)) return scriptProse(text);
  if (MARKDOWN.test(path)) return markdownProse(text);
  if (PAGE.test(path)) return text.replace(/<[^>]*>/g, (tag) => keep(tag, GAP));
  const comments = HASH_COMMENTS.test(path)
    ? text.matchAll(/(?<=^|\s)#.*$/gm)
    : SLASH_COMMENTS.test(path)
      ? text.matchAll(/(?<=^|\s)(\/\/.*$|\/\*[\s\S]*?\*\/)/gm)
      : null;
  return (
    comments &&
    overlay(
      text,
      [...comments].map((found) => ({ at: found.index, value: commentText(found[0]) })),
    )
  );
}
