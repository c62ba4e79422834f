const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Like {@link parseId}, for applications. */
export function parseApplicationId(text: string): string | null {
  return parseId("app", text);
}

/**
 * Reads an id in either form: a UUID, or its prefix, `_` and 26 characters of Crockford base32 in either case.
 * @returns the plain lower-case UUID that claims carry; null if the text has neither form
 */
export function parseId(prefix: string, text: string): string | null {
  if (UUID.test(text)) return text.toLowerCase();
  if (text.length !== prefix.length + 27 || !text.toLowerCase().startsWith(`${prefix}_`)) return null;
  let value = 0n;
  for (const character of text.slice(prefix.length + 1).toUpperCase()) {
    const digit = CROCKFORD.indexOf(character);
    if (digit < 0) return null;
    value = (value << 5n) | BigInt(digit);
  }
  // 26 characters hold 130 bits; an id is 128.
  if (value >> 128n) return null;
  const hex = value.toString(16).padStart(32, "0");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
