import { AppError } from "./errors.ts";

/**
 * Ids are UUIDv7 (RFC 9562 section 5.7). Output is always the plain UUID. Input may also be the prefixed form of the same
 * 128 bits: `usr_` and 26 characters of Crockford base32, in either case.
 */
const PREFIXES = {
  tenant: "ten",
  application: "app",
  user: "usr",
  organization: "org",
  group: "grp",
  session: "ses",
  browserSession: "bse",
  apiKey: "key",
  connection: "con",
  resource: "res",
  flow: "flw",
  email: "eml",
  passkey: "psk",
  device: "dev",
} as const;

export type IdKind = keyof typeof PREFIXES;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const PREFIXED = /^([a-z]{3})_([0-9a-z]{26})$/i;
const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CROCKFORD_VALUE = new Map([...CROCKFORD].map((character, value) => [character, BigInt(value)]));

/** Returns a new UUIDv7 in lower case, with the time `ms` in it. Monotonic within one process. */
export function newId(ms: number): string {
  return Bun.randomUUIDv7("hex", ms);
}

/** Returns the prefixed form of a UUID: `usr_01HWY4MYSEFGESW2GZ5CY4TQKF`. */
export function toPrefixedId(kind: IdKind, uuid: string): string {
  let value = BigInt(`0x${uuid.replaceAll("-", "")}`);
  let text = "";
  for (let i = 0; i < 26; i++) {
    text = CROCKFORD.charAt(Number(value & 31n)) + text;
    value >>= 5n;
  }
  return `${PREFIXES[kind]}_${text}`;
}

/**
 * Turns either form of an id into the plain lower-case UUID.
 * @returns null unless the text is an id without a prefix or with the prefix of this kind.
 */
export function parseId(kind: IdKind, text: string): string | null {
  if (UUID.test(text)) return text.toLowerCase();
  const match = PREFIXED.exec(text);
  if (!match || match[1]?.toLowerCase() !== PREFIXES[kind]) return null;
  let value = 0n;
  for (const character of (match[2] ?? "").toUpperCase()) {
    const digit = CROCKFORD_VALUE.get(character);
    if (digit === undefined) return null;
    value = (value << 5n) | digit;
  }
  if (value >> 128n) return null;
  const hex = value.toString(16).padStart(32, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Returns the pattern of the texts that {@link parseId} takes, for the API's description. */
export function patternOfId(kind: IdKind): string {
  const uuid = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
  // The first of 26 digits of five bits holds two bits of the 128.
  const prefix = [...PREFIXES[kind]].map((letter) => `[${letter}${letter.toUpperCase()}]`).join("");
  return `^(${uuid}|${prefix}_[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25})$`;
}

/** Says which forms an id of this kind has, for the error about another text. */
export function formsOfId(kind: IdKind): string {
  return `must be a UUID or ${PREFIXES[kind]}_ and 26 characters of Crockford base32`;
}

/** Does the same as {@link parseId}, but says which field is wrong. @throws AppError `invalid_input` */
export function requireId(kind: IdKind, text: string, path: string): string {
  const id = parseId(kind, text);
  if (id === null) throw new AppError("invalid_input", { details: [{ path, reason: formsOfId(kind) }] });
  return id;
}

/** Tells whether the text is a UUID in its output form. Our tokens name only such ids, so others cause no query. */
export function isUuid(text: unknown): text is string {
  return typeof text === "string" && UUID.test(text);
}

/** Returns the last 12 hexadecimal digits, which distinguish the applications of one host in a cookie's name. */
export function shortId(uuid: string): string {
  return uuid.slice(-12);
}
