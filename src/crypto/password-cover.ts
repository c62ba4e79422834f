export interface Wordlists {
  common: ReadonlySet<string>;
  context: ReadonlySet<string>;
}

export interface Cover {
  /** The characters, roughly, that an attacker's rules do not foresee. */
  cost: number;
  usesCommon: boolean;
  usesContext: boolean;
}

type Kind = "other" | "padding" | "pattern" | "common" | "context";

interface Piece {
  text: string;
  kind: Kind;
  cost: number;
}

const COST: Record<Kind, number> = { other: 1, padding: 1, pattern: 1, common: 3, context: 1 };
const SHORTEST_WORD = 4;
const SHORTEST_RUN = 3;
/** Characters that people put before or after a word: at most four digits or marks. */
const PADDING = /^[^\p{L}]{1,4}$/u;
const KEYBOARD = [
  "1234567890",
  "qwertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "qwertzuiop",
  "yxcvbnm",
  "azertyuiop",
  "!@#$%^&*()",
];
const LEET: Record<string, string> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  $: "s",
  "!": "i",
};

/**
 * Covers a password with the cheapest pieces. A common password costs 3. A word of the context, a run, a repetition or
 * padding at either end costs 1, as does any other character. A repeated word or run costs nothing. `password1234567` costs
 * 4, `sallyportsallyport` 1, a passphrase of four words 12, and fifteen random characters 15.
 * @param lower NFKC, lower case
 */
export function coverCost(lower: string, words: Wordlists): Cover {
  const unit = smallestPeriod(lower);
  const pieces = cheapestPieces(unit.length * 2 <= lower.length ? unit : lower, words);
  const seen = new Set<string>();
  let cost = 0;
  for (const { kind, text, cost: own } of pieces) {
    // A repeated word adds nothing. A repeated digit does, because otherwise twenty random digits would cost at most ten.
    if (kind === "other" || !seen.has(text)) cost += own;
    seen.add(text);
  }
  const kinds = new Set(pieces.map((piece) => piece.kind));
  return { cost, usesCommon: kinds.has("common"), usesContext: kinds.has("context") };
}

/** Returns the shortest text whose repetition, cut off at the end, is the whole text. */
export function smallestPeriod(text: string): string {
  const border: number[] = [0];
  for (let i = 1, k = 0; i < text.length; i++) {
    while (k > 0 && text[i] !== text[k]) k = border[k - 1] ?? 0;
    if (text[i] === text[k]) k++;
    border[i] = k;
  }
  return text.slice(0, text.length - (border[text.length - 1] ?? 0));
}

/** The length of the longest word of each list that was asked for. */
const longest = new WeakMap<ReadonlySet<string>, number>();

function longestOf(words: ReadonlySet<string>): number {
  const known = longest.get(words);
  if (known !== undefined) return known;
  let most = 0;
  for (const word of words) most = Math.max(most, word.length);
  longest.set(words, most);
  return most;
}

function cheapestPieces(text: string, words: Wordlists): Piece[] {
  const plain = [...text].length === text.length ? text.replace(/[0134578@$!]/g, (c) => LEET[c] ?? c) : text;
  const most = Math.max(longestOf(words.common), longestOf(words.context));
  const best: { cost: number; piece: Piece | null }[] = [{ cost: 0, piece: null }];
  const offer = (start: number, end: number, kind: Kind) => {
    const cost = (best[start]?.cost ?? Number.POSITIVE_INFINITY) + COST[kind];
    if (cost >= (best[end]?.cost ?? Number.POSITIVE_INFINITY)) return;
    best[end] = { cost, piece: { text: text.slice(start, end), kind, cost: COST[kind] } };
  };
  for (let start = 0; start < text.length; start++) {
    if (best[start] === undefined) continue;
    const step = (text.codePointAt(start) ?? 0) > 0xffff ? 2 : 1;
    offer(start, start + step, "other");
    const run = patternLength(text, start);
    for (let length = SHORTEST_RUN; length <= run; length++) offer(start, start + length, "pattern");
    for (let length = 1; length <= 4 && start + length <= text.length; length++) {
      const atAnEnd = start === 0 || start + length === text.length;
      if (atAnEnd && PADDING.test(text.slice(start, start + length))) offer(start, start + length, "padding");
    }
    for (let length = SHORTEST_WORD; length <= most && start + length <= text.length; length++) {
      const [asTyped, unmasked] = [text.slice(start, start + length), plain.slice(start, start + length)];
      if (words.context.has(asTyped) || words.context.has(unmasked)) offer(start, start + length, "context");
      else if (words.common.has(asTyped) || words.common.has(unmasked)) offer(start, start + length, "common");
    }
  }
  const pieces: Piece[] = [];
  for (let end = text.length; end > 0; ) {
    const piece = best[end]?.piece;
    if (!piece) break;
    pieces.push(piece);
    end -= piece.text.length;
  }
  return pieces;
}

/** Returns the length of the repetition, the sequence by code point or the walk along a keyboard row that starts here. */
function patternLength(text: string, start: number): number {
  let longest = 1;
  for (const step of [0, 1, -1]) {
    let end = start + 1;
    while (end < text.length && follows(text, end, step)) end++;
    longest = Math.max(longest, end - start);
  }
  for (const row of KEYBOARD) {
    for (const step of [1, -1]) {
      let end = start + 1;
      let at = row.indexOf(text[start] ?? "");
      while (at >= 0 && end < text.length && row[(at + step + row.length) % row.length] === text[end]) {
        at = (at + step + row.length) % row.length;
        end++;
      }
      longest = Math.max(longest, end - start);
    }
  }
  return longest;
}

function follows(text: string, at: number, step: number): boolean {
  return text.charCodeAt(at) - text.charCodeAt(at - 1) === step;
}
