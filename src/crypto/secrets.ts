import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";

/**
 * `sk` secret key, `cs` client secret of an M2M client, `hs` signing key of the customer's backend, `ml` the link of a mail,
 * `td` a device that skips the second factor, `dv` a device that has signed in before.
 */
export type SecretKind = "sk" | "cs" | "hs" | "ml" | "td" | "dv";

export interface NewSecret {
  /** Shown once and never stored: `sally_sk_` and 71 alphanumeric characters. */
  text: string;
  /** SHA-256 of the text, the stored form. */
  digest: Uint8Array;
}

export interface ParsedSecret {
  /** Lower-case UUID of the row to look up. */
  keyId: string;
  digest: Uint8Array;
}

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LENGTH = 22;
const SECRET_LENGTH = 43;
const CHECK_LENGTH = 6;
const BODY_LENGTH = ID_LENGTH + SECRET_LENGTH + CHECK_LENGTH;
const BODY = /^[0-9A-Za-z]{71}$/;
const DIGIT = new Map([...ALPHABET].map((character, value) => [character, value]));

/** Returns the SHA-256 of bytes, or of a string's UTF-8 bytes. */
export function sha256(data: string | Uint8Array): Uint8Array {
  return hash("sha256", data, "buffer");
}

/** Returns {@link sha256} in 43 characters of base64url without padding. */
export function sha256Base64url(data: string | Uint8Array): string {
  return hash("sha256", data, "base64url");
}

/** Compares in constant time for equal lengths. Digests of one kind always have equal lengths. */
export function digestEquals(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * Makes a secret to show once: a prefix, then in base62 the key id (22 characters), 256 random bits (43) and a CRC-32 of the
 * text so far (6). The checksum lets a scanner recognise a leaked key and keeps typing errors from the database. It proves
 * nothing.
 * @param keyId UUID, either case
 */
export function newSecret(kind: SecretKind, keyId: string): NewSecret {
  const id = BigInt(`0x${keyId.replaceAll("-", "")}`);
  const secret = BigInt(`0x${randomBytes(32).toString("hex")}`);
  const head = `sally_${kind}_${encode(id, ID_LENGTH)}${encode(secret, SECRET_LENGTH)}`;
  const text = head + checksum(head);
  return { text, digest: sha256(text) };
}

/**
 * Accepts only a text that {@link newSecret} can make. Checks kind, length, alphabet, checksum and range before any query to
 * the database.
 */
export function parseSecret(kind: SecretKind, text: string): ParsedSecret | null {
  const prefix = `sally_${kind}_`;
  if (text.length !== prefix.length + BODY_LENGTH || !text.startsWith(prefix)) return null;
  if (!BODY.test(text.slice(prefix.length))) return null;
  const head = text.slice(0, -CHECK_LENGTH);
  if (checksum(head) !== text.slice(-CHECK_LENGTH)) return null;
  const id = decode(text.slice(prefix.length, prefix.length + ID_LENGTH));
  if (id >> 128n) return null;
  const hex = id.toString(16).padStart(32, "0");
  const keyId = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return { keyId, digest: sha256(text) };
}

function checksum(head: string): string {
  return encode(BigInt(crc32(head)), CHECK_LENGTH);
}

function encode(value: bigint, length: number): string {
  let rest = value;
  let text = "";
  for (let i = 0; i < length; i++) {
    text = ALPHABET.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return text;
}

function decode(text: string): bigint {
  let value = 0n;
  for (let i = 0; i < text.length; i += 8) {
    const chunk = text.slice(i, i + 8);
    let part = 0;
    for (const character of chunk) part = part * 62 + (DIGIT.get(character) ?? 0);
    value = value * 62n ** BigInt(chunk.length) + BigInt(part);
  }
  return value;
}
