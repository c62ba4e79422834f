const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const PERIOD = 30;
const DIGITS = 6;

/** RFC 4648, section 6. */
function fromBase32(text: string): Uint8Array<ArrayBuffer> {
  const bits = [...text.toUpperCase()]
    .map((letter) => ALPHABET.indexOf(letter))
    .filter((value) => value >= 0)
    .map((value) => value.toString(2).padStart(5, "0"))
    .join("");
  const bytes = bits.match(/.{8}/g) ?? [];
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2));
}

/** The code of an authenticator app (RFC 6238, SHA-1). @param now milliseconds */
export async function totpCode(secret: string, now: number): Promise<{ code: string; secondsLeft: number }> {
  const step = Math.floor(now / 1_000 / PERIOD);
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(step));
  const key = await crypto.subtle.importKey("raw", fromBase32(secret), { name: "HMAC", hash: "SHA-1" }, false, [
    "sign",
  ]);
  const mac = new DataView(await crypto.subtle.sign("HMAC", key, counter));
  const offset = mac.getUint8(mac.byteLength - 1) & 15;
  const value = (mac.getUint32(offset) & 0x7fffffff) % 10 ** DIGITS;
  return {
    code: String(value).padStart(DIGITS, "0"),
    secondsLeft: Math.ceil((step + 1) * PERIOD - now / 1_000),
  };
}
