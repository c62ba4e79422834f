import { AppError } from "../../core/errors.ts";
import type { Application } from "../../identity/applications/application.ts";
import { relyingPartyOf } from "../../identity/applications/relying-party.ts";
import type { FactorAnswer, FactorProof, SecondFactor } from "../../identity/factors/second-factors.ts";
import type { Identity } from "../../identity/identity.ts";
import type { Executor } from "../../storage/storage.ts";
import type { Assertions } from "./assertions.ts";
import { hasPasskey, passkeysOf } from "./store.ts";
import { assertionSchema } from "./wire.ts";

const PURPOSE = "passkey_second_factor";

/** Proves a passkey after a password. The challenge accepts this user's passkeys only. */
export class PasskeyFactor implements SecondFactor {
  readonly method = "passkey";

  constructor(
    private readonly identity: Pick<Identity, "directory" | "storage">,
    private readonly assertions: Assertions,
  ) {}

  /** @returns null if the user has no passkey for the application's domain */
  async challenge(application: Application, userId: string) {
    const { id } = relyingPartyOf(this.identity.directory, application);
    const passkeys = (await passkeysOf(this.identity.storage.read, userId)).filter(({ rp_id }) => rp_id === id);
    if (passkeys.length === 0) return null;
    const { flowId, publicKey } = await this.assertions.ask(PURPOSE, application, userId, passkeys);
    return { flow_id: flowId, public_key: publicKey };
  }

  /**
   * Without user verification a passkey proves possession only. It then is a second factor after a password, but not after
   * another passkey or a mail. @throws AppError `invalid_input`, `invalid_code`
   */
  async check(answer: FactorAnswer): Promise<FactorProof> {
    const { act, userId } = answer;
    const parsed = assertionSchema.safeParse(answer.response);
    if (!parsed.success) {
      const details = parsed.error.issues.map((issue) => ({
        path: ["response", ...issue.path].join("."),
        reason: issue.message,
      }));
      throw new AppError("invalid_input", { details });
    }
    const right = await this.assertions.check({
      purpose: PURPOSE,
      act,
      flowId: answer.flowId ?? "",
      response: parsed.data,
      owner: userId,
    });
    if (!right.userVerified && !answer.proven?.includes("pwd")) {
      const message = "The passkey must verify you, by a PIN, a finger or a face.";
      throw new AppError("invalid_code", { message });
    }
    return { amr: right.amr, keepsUser: true, commit: (tx, now) => right.commit(tx, now) };
  }

  /** Returns whether the user has a passkey of the application's domain. Browsers offer no other here. */
  async isUsable(at: Executor, application: Application, userId: string): Promise<boolean> {
    const { id } = relyingPartyOf(this.identity.directory, application);
    return (await passkeysOf(at, userId)).some(({ rp_id }) => rp_id === id);
  }

  /**
   * Counts for every application of the tenant, whatever its domain. Otherwise the application that asks least would decide how
   * safe the account is, because a second factor could be removed from there.
   */
  isEnrolled(at: Executor, userId: string): Promise<boolean> {
    return hasPasskey(at, userId);
  }
}
