import type { RequestOrigin } from "../../core/caller.ts";
import { invalidField } from "../../core/errors.ts";
import type { PasswordHasher } from "../../crypto/password-hash.ts";
import { checkPassword } from "../../crypto/password-policy.ts";
import type { DataKeys } from "../../identity/keys/data-keys.ts";
import type { Breaches } from "./breaches.ts";

/** Holds the one password policy and the one way to hash, for every procedure that sets or tries a password. */
export class PasswordHashing {
  constructor(
    private readonly dataKeys: DataKeys,
    private readonly hasher: PasswordHasher,
    private readonly breaches: Breaches,
    private readonly minLength: number,
  ) {}

  /**
   * @param context facts about the person and the application that an attacker would try
   * @throws AppError `invalid_input`
   */
  async requireGood(path: string, password: string, context: readonly (string | null)[]): Promise<void> {
    const known = context.map((text) => text ?? "");
    const reason = await checkPassword(password, { minLength: this.minLength, context: known });
    if (reason !== null) throw invalidField(path, reason);
  }

  /**
   * Hashes a new password, unless a breach has published it. Callers count the attempt first: the check is a request to a service.
   * @throws AppError `invalid_input`, `overloaded`
   */
  async hashNew(path: string, password: string, origin: RequestOrigin): Promise<string> {
    if (await this.breaches.has(password.normalize("NFKC"))) {
      throw invalidField(path, "This password is in a list of stolen passwords. Choose another one.");
    }
    return this.hash(password, origin);
  }

  /** @throws AppError `overloaded` */
  hash(password: string, origin: RequestOrigin): Promise<string> {
    return this.hasher.hash(password, { fairnessKey: origin.network, pepper: this.dataKeys.current("pepper") });
  }

  /**
   * `stored` is null for a user without a password: the work is the same and the result false. @throws AppError `overloaded`
   */
  verify(stored: string | null, password: string, origin: RequestOrigin): Promise<boolean> {
    const { dataKeys } = this;
    const fairnessKey = origin.network;
    if (stored === null) return this.hasher.verifyDummy(password, { fairnessKey, pepper: dataKeys.current("pepper") });
    const pepperOf = (version: number) => dataKeys.version("pepper", version)?.key;
    return this.hasher.verify(stored, password, { fairnessKey, pepperOf });
  }

  needsRehash(stored: string): boolean {
    return this.hasher.needsRehash(stored, this.dataKeys.current("pepper").version);
  }
}
