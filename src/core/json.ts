export type JsonObject = { [member: string]: unknown };

/** Tells whether a value is a JSON object, and not an array, null or a scalar. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Deeper than any value that the appliance accepts or stores. */
export const MAX_JSON_DEPTH = 32;

/**
 * Tells whether a JSON text is nested too deep, before a parser builds it. 64 kB hold 31,000 levels, and every recursive
 * reader behind the parser (schemas, merges, serialisers) would process each of them or overflow its stack.
 * The text need not be valid JSON. Brackets inside strings do not count.
 */
export function isTooDeep(text: string, limit: number = MAX_JSON_DEPTH): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character === QUOTE) i = endOfString(text, i);
    else if (character === OPEN_BRACKET || character === OPEN_BRACE) {
      if (++depth > limit) return true;
    } else if (character === CLOSE_BRACKET || character === CLOSE_BRACE) depth--;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** @returns the index of the closing quote, or the text's length when there is none */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character === BACKSLASH) i++;
    else if (character === QUOTE) return i;
  }
  return text.length;
}

/**
 * Parses a JSON text that is an object. A repeated member keeps its last value, as RFC 7519 section 4 permits for claims.
 * A member named `__proto__` becomes an own property: never merge the result into another object.
 * @returns null unless the text is JSON and an object.
 */
export function parseJsonObject(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
