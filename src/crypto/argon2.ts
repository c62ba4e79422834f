import type { Log } from "../core/log.ts";

/** The minimum of OWASP and RFC 9106 for argon2id: 19 MiB, two passes, one lane. A change makes every sign-in rehash. */
const PARAMETERS = {
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
  outputLen: 32,
  algorithm: 2,
  version: 1,
} as const;
export const PARAMETER_TEXT = "$argon2id$v=19$m=19456,t=2,p=1$";

/** The function that hashes passwords. Both programs write and read the same PHC strings. */
export interface Argon2 {
  hash(input: string): Promise<string>;
  verify(phc: string, input: string): Promise<boolean>;
}

/**
 * Loads the native module at the first hash. The executable unpacks it into the directory for temporary files, which may be
 * full, read-only or mounted noexec; then Bun's own argon2id does the work, in two to three times the time.
 */
export class LazyArgon2 implements Argon2 {
  #loading: Promise<Argon2> | undefined;

  constructor(
    private readonly log: Log | null,
    private readonly load: () => Promise<Argon2> = loadNative,
  ) {}

  async hash(input: string): Promise<string> {
    return (await this.#program()).hash(input);
  }

  async verify(phc: string, input: string): Promise<boolean> {
    return (await this.#program()).verify(phc, input);
  }

  #program(): Promise<Argon2> {
    this.#loading ??= this.load().catch((error: unknown) => {
      this.log?.warn(
        { reason: causesOf(error) },
        "The native module that hashes passwords cannot be loaded, so a sign-in by password takes two to three times as long. " +
          "Set BUN_TMPDIR to a directory with 1 MB of free space from which programs may run.",
      );
      return builtIn;
    });
    return this.#loading;
  }
}

/** Lists the causes only: the loader wraps them in advice about npm, which does not fit an executable. */
function causesOf(error: unknown): string {
  const causes: string[] = [];
  for (let cause = (error as { cause?: unknown }).cause; cause instanceof Error; cause = cause.cause) {
    causes.push(cause.message);
  }
  return (causes.length > 0 ? causes.join("; ") : String(error)).slice(0, 200);
}

async function loadNative(): Promise<Argon2> {
  const { hash, verify } = await import("@node-rs/argon2");
  return { hash: (input) => hash(input, PARAMETERS), verify };
}

const builtIn: Argon2 = {
  hash: (input) =>
    Bun.password.hash(input, {
      algorithm: "argon2id",
      memoryCost: PARAMETERS.memoryCost,
      timeCost: PARAMETERS.timeCost,
    }),
  verify: (phc, input) => Bun.password.verify(input, phc),
};
