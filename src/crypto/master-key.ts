import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";

/** The bytes are not a seal, were altered, or belong to another context or an unknown master key. */
export class SealError extends Error {
  override readonly name = "SealError";
}

/** The purpose and the owner of a seal. Both are authenticated, so that a seal cannot be moved to another row. */
export interface SealContext {
  keyId: string;
  purpose: string;
}

const FORMAT = 1;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 3;
const MAX_VERSION = 0xffff;
const HOW =
  "Use v<version>:<32 bytes in base64url>, one per line, as `sallyport init --new-master-key FILE` writes it.";

/** Returns a new master key in its text form: the version and 43 characters of base64url. Show it once and keep it apart. */
export function generateMasterKey(version = 1): string {
  return `v${version}:${randomBytes(KEY_BYTES).toString("base64url")}`;
}

/**
 * Parses master keys, one per line or separated by commas: `v2:<base64url of 32 bytes>`. A bare value of 32 bytes (base64,
 * base64url or 64 hexadecimal digits) is version 1. Skips lines that begin with `#`.
 * @throws Error whose message names the wrong entry and the fix, and never repeats the key.
 */
export function parseMasterKeys(text: string): MasterKeys {
  const keys = new Map<number, Buffer>();
  const entries = text
    .replace(/^\uFEFF/, "")
    .split(/[\r\n,]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "" && !entry.startsWith("#"));
  for (const [index, entry] of entries.entries()) {
    const place = `Master key entry ${index + 1}`;
    const match = /^v(\d{1,5}):(.*)$/s.exec(entry);
    const version = match ? Number(match[1]) : 1;
    if (version < 1 || version > MAX_VERSION || (match && match[1] !== String(version))) {
      throw new Error(`${place} has a version outside 1 to ${MAX_VERSION}. ${HOW}`);
    }
    const key = decodeKey(match?.[2] ?? entry);
    if (key === null) throw new Error(`${place} does not hold exactly 32 bytes. ${HOW}`);
    if (keys.has(version)) {
      throw new Error(
        `${place} repeats version ${version}. Give the newer key the next number and keep the older one.`,
      );
    }
    for (const other of keys.values()) {
      if (other.equals(key)) throw new Error(`${place} repeats a key under another version. Generate a new one.`);
    }
    if (key.every((byte) => byte === key[0])) {
      throw new Error(`${place} is one byte repeated, which is a placeholder and not a key. Generate a new one.`);
    }
    keys.set(version, key);
  }
  if (keys.size === 0) throw new Error(`The given text has no master key. ${HOW}`);
  return new MasterKeys(keys);
}

function decodeKey(text: string): Buffer | null {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, "hex");
  if (!/^[A-Za-z0-9_-]{43}=?$|^[A-Za-z0-9+/]{43}=?$/.test(text)) return null;
  const key = Buffer.from(text, "base64url");
  const bare = text.replace("=", "").replaceAll("+", "-").replaceAll("/", "_");
  return key.length === KEY_BYTES && key.toString("base64url") === bare ? key : null;
}

/**
 * The master keys of one instance. It may hold several versions for a rotation: the highest seals, and all of them open.
 * AES-256-GCM with a random 96-bit nonce, fit for 2^32 seals per key (NIST SP 800-38D section 8.3); it seals keys, not data.
 * Layout: format 0x01, master key version (uint16), nonce (12), ciphertext, tag (16). The additional data is the header,
 * then the key id and the purpose, each after its length (uint32).
 */
export class MasterKeys {
  readonly currentVersion: number;
  readonly #keys: ReadonlyMap<number, Buffer>;

  /** Use {@link parseMasterKeys}, which checks the keys. */
  constructor(keys: ReadonlyMap<number, Buffer>) {
    this.#keys = keys;
    this.currentVersion = Math.max(...keys.keys());
  }

  /** All versions that can open a seal, in ascending order. */
  get versions(): number[] {
    return [...this.#keys.keys()].sort((a, b) => a - b);
  }

  /**
   * Returns a check value to store or print: 16 hexadecimal digits that identify a master key and reveal nothing about it.
   * @throws SealError when this version is missing.
   */
  fingerprint(version = this.currentVersion): string {
    return createHmac("sha256", this.#key(version)).update("sallyport master key check v1").digest("hex").slice(0, 16);
  }

  /** Returns a MAC that only a holder of the current master key can make: 43 characters of base64url. */
  proofOf(text: string): string {
    const mac = createHmac("sha256", this.#key(this.currentVersion));
    return mac.update(`sallyport proof v1\n${text}`).digest("base64url");
  }

  /** Seals with the current version. */
  seal(plaintext: Uint8Array, context: SealContext): Uint8Array {
    const header = Buffer.from([FORMAT, this.currentVersion >> 8, this.currentVersion & 0xff]);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#key(this.currentVersion), nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(additionalData(header, context));
    const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    return new Uint8Array(Buffer.concat([header, nonce, body, cipher.getAuthTag()]));
  }

  /** @throws SealError, with the same text for a wrong key, a wrong context and altered bytes. */
  open(sealed: Uint8Array, context: SealContext): Uint8Array {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    const key = this.#key(sealedVersion(sealed));
    const nonce = bytes.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES);
    try {
      const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(additionalData(bytes.subarray(0, HEADER_BYTES), context));
      decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
      const body = bytes.subarray(HEADER_BYTES + NONCE_BYTES, bytes.length - TAG_BYTES);
      return new Uint8Array(Buffer.concat([decipher.update(body), decipher.final()]));
    } catch (cause) {
      throw new SealError("This seal does not open: the master key or the context is wrong, or bytes were altered.", {
        cause,
      });
    }
  }

  #key(version: number): Buffer {
    const key = this.#keys.get(version);
    if (!key) throw new SealError(`Master key version ${version} is missing. Add it to the master keys.`);
    return key;
  }
}

/** Returns the version of the master key that made a seal, for a rotation. @throws SealError unless the bytes are a seal */
export function sealedVersion(sealed: Uint8Array): number {
  const [format, high, low] = sealed;
  const tooShort = sealed.length < HEADER_BYTES + NONCE_BYTES + TAG_BYTES;
  if (tooShort || format !== FORMAT || high === undefined || low === undefined) {
    throw new SealError("These bytes are not a seal of this format.");
  }
  return (high << 8) | low;
}

function additionalData(header: Uint8Array, context: SealContext): Buffer {
  const parts: Uint8Array[] = [header];
  for (const text of [context.keyId, context.purpose]) {
    const bytes = Buffer.from(text, "utf8");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts);
}
