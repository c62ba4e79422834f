import { createHmac, randomBytes } from "node:crypto";
import { hash, parseOptions, verify } from "@node-rs/argon2";
import type { HashQueue } from "./hash-queue.ts";

/** A version of the data key of purpose `pepper`: kept sealed, outside of what a dump of the users' table gives away. */
export interface Pepper {
  version: number;
  key: Uint8Array;
}

export interface HashContext {
  /** Whose turn it takes in the queue: the client's network. */
  fairnessKey: string;
  /** Leaves the queue when the caller has gone; a hash that has begun is finished. */
  signal?: AbortSignal;
}

/** OWASP's and RFC 9106's floor for argon2id: 19 MiB, two passes, one lane. Changing one makes every sign-in rehash. */
const PARAMETERS = {
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
  outputLen: 32,
  algorithm: 2,
  version: 1,
} as const;
const PARAMETER_TEXT = "$argon2id$v=19$m=19456,t=2,p=1$";
const STORED = /^p([1-9]\d{0,8})(\$argon2id\$v=19\$m=\d{1,10},t=\d{1,10},p=\d{1,3}\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+)$/;

/**
 * argon2id over the base64url of HMAC-SHA-256(pepper, UTF-8 of the NFKC form of the password). Stored as `p<pepper version>` and the PHC string.
 * Every hash, the dummy included, goes through the one queue.
 */
export class PasswordHasher {
  readonly #queue: HashQueue;
  /** Random salt and output of the real sizes: nothing verifies against it, and it costs what a real one costs. */
  readonly #dummy = PARAMETER_TEXT + [randomBytes(16), randomBytes(32)].map(phcBase64).join("$");

  constructor(queue: HashQueue) {
    this.#queue = queue;
  }

  /** Hashes done since the start; tests count them to show that two answers did the same work. */
  get hashesDone(): number {
    return this.#queue.stats.done;
  }

  /** @returns what to store. @throws AppError `overloaded` */
  hash(password: string, context: HashContext & { pepper: Pepper }): Promise<string> {
    const { pepper } = context;
    const input = peppered(password, pepper.key);
    const work = async () => `p${pepper.version}${await hash(input, PARAMETERS)}`;
    return this.#queue.run(context.fairnessKey, work, context.signal);
  }

  /**
   * @param pepperOf the pepper's key of a version that some stored hash still needs
   * @throws AppError `overloaded`; Error when what is stored is no hash of ours, or its pepper is missing
   */
  async verify(
    stored: string,
    password: string,
    context: HashContext & { pepperOf: (version: number) => Uint8Array | undefined },
  ): Promise<boolean> {
    const [, version, phc] = STORED.exec(stored) ?? [];
    if (version === undefined || phc === undefined) throw new Error("The stored password hash has an unknown form.");
    const key = context.pepperOf(Number(version));
    if (!key) throw new Error(`Pepper version ${version} is needed and is not there.`);
    const input = peppered(password, key);
    return this.#queue.run(context.fairnessKey, () => verify(phc, input), context.signal);
  }

  /** The work of {@link verify} for an account that is not there or has no password. Always false. */
  async verifyDummy(password: string, context: HashContext & { pepper: Pepper }): Promise<false> {
    const input = peppered(password, context.pepper.key);
    await this.#queue.run(context.fairnessKey, () => verify(this.#dummy, input), context.signal);
    return false;
  }

  /** Whether a stored hash is of other parameters or of another pepper than today's. */
  needsRehash(stored: string, pepperVersion: number): boolean {
    const [, version, phc] = STORED.exec(stored) ?? [];
    if (Number(version) !== pepperVersion || phc === undefined) return true;
    const found = parseOptions(phc);
    return (
      found.memoryCost !== PARAMETERS.memoryCost ||
      found.timeCost !== PARAMETERS.timeCost ||
      found.parallelism !== PARAMETERS.parallelism ||
      found.outputLen !== PARAMETERS.outputLen
    );
  }
}

/**
 * NFKC, so that the same password typed on another keyboard or system is the same bytes (NIST SP 800-63B-4 3.1.1.2).
 * The MAC goes on as base64url text: the binding hashes any bytes, but verifies only such as are UTF-8.
 */
function peppered(password: string, key: Uint8Array): string {
  return createHmac("sha256", key).update(password.normalize("NFKC"), "utf8").digest("base64url");
}

function phcBase64(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}
