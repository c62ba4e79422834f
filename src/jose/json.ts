export type Members = { readonly [member: string]: unknown };

export function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A JSON object in which no member stands twice, at any depth. Two parsers that disagree on which of the two counts let one
 * of them check `alg` while the other obeys the second (RFC 7515 section 4, RFC 7519 section 4, RFC 8259 section 4).
 * A member named `__proto__` becomes an own property: never merge the result into another object.
 * @returns null for any other text
 */
export function parseUniqueObject(text: string): Members | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && membersOf(value) === membersIn(text) ? value : null;
  } catch {
    // Not JSON, or nested deeper than the stack.
    return null;
  }
}

/** Members of all objects in a value. */
function membersOf(value: object): number {
  const names = Object.keys(value);
  let count = Array.isArray(value) ? 0 : names.length;
  for (const name of names) {
    const inner = (value as Members)[name];
    if (typeof inner === "object" && inner !== null) count += membersOf(inner);
  }
  return count;
}

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** Members of all objects in a JSON text: each has a colon of its own outside the strings. A repeated one counts twice. */
function membersIn(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === COLON) count++;
    else if (code === QUOTE) at = endOfString(text, at);
  }
  return count;
}

function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); ; at = text.indexOf('"', at + 1)) {
    let first = at;
    while (text.charCodeAt(first - 1) === BACKSLASH) first--;
    // An even number of backslashes escapes itself, and not the quote.
    if ((at - first) % 2 === 0) return at;
  }
}
