import { createHmac } from "node:crypto";

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/** Seconds for which one code is valid. */
const PERIOD = 30;

/**
 * Returns the code that an authenticator app shows (RFC 6238: SHA-1, six digits, 30 seconds). Shares no code with the
 * check.
 * @param secret base32, as the set-up returns it
 * @param at milliseconds since the epoch: the application's `clock.now()`
 * @param steps how many codes later; negative for earlier codes
 */
export function totp(secret: string, at: number, steps = 0): string {
  let bits = "";
  for (const character of secret) bits += BASE32.indexOf(character).toString(2).padStart(5, "0");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 1000 / PERIOD) + steps));
  const mac = createHmac("sha1", key).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0xf;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** Returns a code that is certainly wrong. */
export function wrongTotp(secret: string, at: number, index = 0): string {
  const right = new Set([-3, -2, -1, 0, 1, 2, 3].map((steps) => totp(secret, at, steps)));
  const wrong: string[] = [];
  for (let code = 100_000; wrong.length <= index; code++) if (!right.has(String(code))) wrong.push(String(code));
  return wrong[index] ?? "";
}
