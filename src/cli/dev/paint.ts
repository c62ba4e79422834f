/** Adds the colours of a terminal, or nothing. Colour never carries meaning alone: the text says the same. */
export interface Paint {
  yellow(text: string): string;
  red(text: string): string;
  underline(text: string): string;
}

const wrapped = (code: number, end: number) => (text: string) => `\u001b[${code}m${text}\u001b[${end}m`;
const plain = (text: string) => text;

export const COLOURS: Paint = { yellow: wrapped(33, 39), red: wrapped(31, 39), underline: wrapped(4, 24) };
export const NO_COLOURS: Paint = { yellow: plain, red: plain, underline: plain };

/** Follows https://no-color.org: any value that is not empty switches colours off. */
export function paintFor(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Paint {
  return isTerminal && !env.NO_COLOR ? COLOURS : NO_COLOURS;
}

/** Escapes control characters, with which a caller could repaint the terminal or fake a line. */
export function harmless(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
}
