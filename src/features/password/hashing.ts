import type { RequestOrigin } from "../../core/caller.ts";
import { invalidField } from "../../core/errors.ts";
import type { PasswordHasher } from "../../crypto/password-hash.ts";
import { checkPassword } from "../../crypto/password-policy.ts";
import type { DataKeys } from "../../identity/keys/data-keys.ts";

/** One policy and one way to hash, for every place where a password is set or tried. */
export class PasswordHashing {
  constructor(
    private readonly dataKeys: DataKeys,
    private readonly hasher: PasswordHasher,
    private readonly minLength: number,
  ) {}

  /**
   * @param context what anybody knows about the person and the place
   * @throws AppError `invalid_input`
   */
  async requireGood(path: string, password: string, context: readonly (string | null)[]): Promise<void> {
    const known = context.map((text) => text ?? "");
    const reason = await checkPassword(password, { minLength: this.minLength, context: known });
    if (reason !== null) throw invalidField(path, reason);
  }

  /** @throws AppError `overloaded` */
  hash(password: string, origin: RequestOrigin): Promise<string> {
    return this.hasher.hash(password, { fairnessKey: origin.network, pepper: this.dataKeys.current("pepper") });
  }

  /** null stands for no password: the same work, and never right. @throws AppError `overloaded` */
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
