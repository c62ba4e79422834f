import { coverCost, smallestPeriod, type Wordlists } from "./password-cover.ts";

export interface PasswordRules {
  /** Code points: 15 for a password that is the only factor, 8 beside a second factor. */
  minLength: number;
  /**
   * Texts that anyone knows about this person and place: e-mail, display name, application name. Empty strings are skipped.
   */
  context: readonly string[];
}

/** NIST SP 800-63B-4 3.1.1.2 asks for 64 or more. The maximum keeps anyone from hashing a novel. */
const MAX_LENGTH = 512;
/** The cost of a famous phrase with a few characters added: see {@link coverCost}. */
const MOST_ADDED = 8;
const NO_WORDS: ReadonlySet<string> = new Set();

let lists: Promise<Lists> | undefined;

/** The lists that the check compares with. */
interface Lists {
  /** 49,000 common passwords, most of them short. */
  common: ReadonlySet<string>;
  /** Famous phrases without spaces. */
  famous: ReadonlySet<string>;
}

/**
 * Checks a new password in its NFKC form: its length, and the guesses that an attacker tries first. No composition rules.
 * Loads the lists of common passwords and famous phrases at the first call.
 * @returns null for an acceptable password, else a sentence for the person who chose it.
 */
export async function checkPassword(password: string, rules: PasswordRules): Promise<string | null> {
  if (!password.isWellFormed()) return "The password has characters that are broken. Type it again.";
  const text = password.normalize("NFKC");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the check refuses these characters
  if (/[\u0000-\u001f\u007f]/.test(text)) return "The password has control characters. Type it again.";
  const length = [...text].length;
  if (length < rules.minLength) return `The password needs at least ${rules.minLength} characters. It has ${length}.`;
  if (length > MAX_LENGTH) return `The password may have at most ${MAX_LENGTH} characters. It has ${length}.`;

  const lower = text.toLowerCase();
  lists ??= loadLists();
  const { common, famous } = await lists;
  const words: Wordlists = { common, context: contextWords(rules.context) };
  const bare = bareOf(lower);
  if (common.has(lower) || common.has(smallestPeriod(bare))) {
    return "This is one of the most common passwords. Choose another one.";
  }
  const cover = coverCost(lower, words);
  if (cover.cost > Math.min(8, Math.floor(length / 2))) {
    return isFamous(bare, famous) ? "This is a famous password or phrase. Choose another one." : null;
  }
  if (cover.usesContext) {
    return "The password is mostly made of your name, your address or the name of this application. Choose another one.";
  }
  if (cover.usesCommon) return "The password is a common password with little added to it. Choose another one.";
  return "The password is a simple pattern that is quickly guessed. Choose another one.";
}

/**
 * Returns each text whole and without marks, and its parts of four characters or more: of an address, local part and domain.
 */
function contextWords(texts: readonly string[]): ReadonlySet<string> {
  const words = new Set<string>();
  for (const text of texts) {
    const lower = text.normalize("NFKC").toLowerCase();
    const parts = lower.split(/[^\p{L}\p{N}]+/u);
    for (const word of [lower, ...lower.split(/[@\s]+/), ...parts, parts.join("")]) {
      if (word.length >= 4) words.add(word);
    }
  }
  return words;
}

/** Returns the letters and digits alone: spaces, marks and accents are the first that an attacker's rules vary. */
function bareOf(lower: string): string {
  return lower.normalize("NFKD").replaceAll(/[^\p{L}\p{N}]/gu, "");
}

/** Returns whether the text is a famous phrase, repeated or with little added to it. */
function isFamous(bare: string, famous: ReadonlySet<string>): boolean {
  const cover = coverCost(bare, { common: famous, context: NO_WORDS });
  return cover.usesCommon && cover.cost <= MOST_ADDED;
}

async function loadLists(): Promise<Lists> {
  const [list, { famousPhrases }] = await Promise.all([
    import("@zxcvbn-ts/language-common/dist/passwords.json.mjs"),
    import("./famous-phrases.ts"),
  ]);
  return { common: new Set(list.default), famous: famousPhrases };
}
