/** Spaces, invisible characters and every kind of dash. People, keyboards and mail programs put them between or around digits. */
const FILLERS = /[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\p{Dash}\u2043\u02d7]/gu;
const DIGIT = /\p{Nd}/u;

/**
 * Returns the one form of a code that a person types or pastes, as it is compared: upper case, ASCII digits, nothing between
 * them. Every mailed code, TOTP code and recovery code passes through here, and nothing else changes them.
 */
export function typedCode(text: string): string {
  const bare = text.normalize("NFKC").replaceAll(FILLERS, "");
  return bare.replaceAll(/\p{Nd}/gu, (digit) => String(digitValue(digit))).toUpperCase();
}

/** Unicode encodes the ten digits of a script in a row, from zero on. */
function digitValue(digit: string): number {
  const point = digit.codePointAt(0) ?? 0;
  let before = 0;
  while (DIGIT.test(String.fromCodePoint(point - before - 1))) before++;
  return before % 10;
}
