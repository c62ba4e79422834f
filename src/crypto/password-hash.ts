import { createHmac, randomBytes } from "node:crypto";
import { type Argon2, LazyArgon2, PARAMETER_TEXT } from "./argon2.ts";
import type { HashQueue } from "./hash-queue.ts";

/** A version of the data key for `pepper`. It is kept sealed, so that a dump of the users' table does not reveal it. */
export interface Pepper {
  version: number;
  key: Uint8Array;
}

export interface HashContext {
  /** The client's network, whose turn in the queue is used. */
  fairnessKey: string;
  /** Leaves the queue when the caller has gone. A hash that has begun is finished. */
  signal?: AbortSignal;
}

const STORED = /^p([1-9]\d{0,8})(\$argon2id\$v=19\$m=\d{1,10},t=\d{1,10},p=\d{1,3}\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+)$/;

/** A PHC string with today's parameters and an output of 32 bytes. */
const CURRENT = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]{43}$/;

/**
 * argon2id over the base64url of HMAC-SHA-256(pepper, UTF-8 of the password's NFKC form). Stored as `p<pepper version>` and
 * the PHC string. Every hash goes through the same queue, including the dummy.
 */
export class PasswordHasher {
  readonly #queue: HashQueue;
  /** Random salt and output of the real sizes: no password matches it, and it costs as much as a real hash. */
  readonly #dummy = PARAMETER_TEXT + [randomBytes(16), randomBytes(32)].map(phcBase64).join("$");

  constructor(
    queue: HashQueue,
    private readonly argon2: Argon2 = new LazyArgon2(null),
  ) {
    this.#queue = queue;
  }

  /** Hashes done since the start. Tests count them to show that two answers did the same work. */
  get hashesDone(): number {
    return this.#queue.stats.done;
  }

  /** @returns the text to store. @throws AppError `overloaded` */
  hash(password: string, context: HashContext & { pepper: Pepper }): Promise<string> {
    const { pepper } = context;
    const input = peppered(password, pepper.key);
    const work = async () => `p${pepper.version}${await this.argon2.hash(input)}`;
    return this.#queue.run(context.fairnessKey, work, context.signal);
  }

  /**
   * @param pepperOf returns the pepper's key of a version that a stored hash still needs
   * @throws AppError `overloaded`; Error when the stored text is not one of our hashes, or its pepper is missing
   */
  async verify(
    stored: string,
    password: string,
    context: HashContext & { pepperOf: (version: number) => Uint8Array | undefined },
  ): Promise<boolean> {
    const [, version, phc] = STORED.exec(stored) ?? [];
    if (version === undefined || phc === undefined) throw new Error("The stored password hash has an unknown form.");
    const key = context.pepperOf(Number(version));
    if (!key) throw new Error(`Pepper version ${version} is missing.`);
    const input = peppered(password, key);
    return this.#queue.run(context.fairnessKey, () => this.argon2.verify(phc, input), context.signal);
  }

  /** Does the work of {@link verify} for an unknown account or an account without a password. Always returns false. */
  async verifyDummy(password: string, context: HashContext & { pepper: Pepper }): Promise<false> {
    const input = peppered(password, context.pepper.key);
    await this.#queue.run(context.fairnessKey, () => this.argon2.verify(this.#dummy, input), context.signal);
    return false;
  }

  /** Tells whether a stored hash has other parameters or another pepper than today's. */
  needsRehash(stored: string, pepperVersion: number): boolean {
    const [, version, phc] = STORED.exec(stored) ?? [];
    if (Number(version) !== pepperVersion || phc === undefined) return true;
    return !CURRENT.test(phc);
  }
}

/**
 * Normalises to NFKC, so that the same password has the same bytes on every keyboard and system (NIST SP 800-63B-4 3.1.1.2).
 * The MAC becomes base64url text, because the binding hashes any bytes but verifies only UTF-8.
 */
function peppered(password: string, key: Uint8Array): string {
  return createHmac("sha256", key).update(password.normalize("NFKC"), "utf8").digest("base64url");
}

function phcBase64(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}
