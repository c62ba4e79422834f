import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { SECOND } from "../../core/clock.ts";
import { typedCode } from "../../core/typed-code.ts";

/** RFC 6238 with SHA-1, six digits and 30 seconds. Every authenticator app supports this, and some support nothing else. */
export const TOTP_PERIOD = 30;
export const TOTP_DIGITS = 6;
/** As long as the hash, as RFC 4226 section 4 recommends. */
const SECRET_BYTES = 20;
/** The steps by which a phone's clock may be off, either way (RFC 6238 section 5.2). */
const DRIFT = 1;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export function newTotpSecret(): Uint8Array {
  return new Uint8Array(randomBytes(SECRET_BYTES));
}

/** Returns the code of one time step. */
export function totpCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", secret).update(counter).digest();
  const offset = mac.readUInt8(mac.length - 1) & 0xf;
  const truncated = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(truncated % 10 ** TOTP_DIGITS).padStart(TOTP_DIGITS, "0");
}

/**
 * Returns the time step of a code, within the drift. Steps up to `after` are spent and never match, so that setting the clock
 * back does not revive a code.
 * @param now in milliseconds since the epoch, by the server's clock
 */
export function matchingStep(secret: Uint8Array, code: string, now: number, after: number): number | null {
  const given = Buffer.from(typedCode(code));
  const current = Math.floor(now / SECOND / TOTP_PERIOD);
  let found: number | null = null;
  for (let step = Math.max(0, current - DRIFT); step <= current + DRIFT; step++) {
    const expected = Buffer.from(totpCode(secret, step));
    const isRight = given.length === expected.length && timingSafeEqual(given, expected);
    if (isRight && step > after && found === null) found = step;
  }
  return found;
}

/**
 * Returns whether a code is that of the step `last` and still within the drift. Its owner has used it and wonders why it fails.
 * The codes of earlier steps are spent too, but nobody may have seen them, so a guess of one gets no other answer than a wrong
 * code.
 */
export function isReused(secret: Uint8Array, code: string, now: number, last: number): boolean {
  return last > 0 && matchingStep(secret, code, now, last - 1) === last;
}

/** Encodes by RFC 4648 section 6 without padding. People copy the result by hand. */
export function toBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += BASE32.charAt((held >> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? text + BASE32.charAt((held << (5 - bits)) & 31) : text;
}
