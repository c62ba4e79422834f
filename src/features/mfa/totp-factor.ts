import { AppError } from "../../core/errors.ts";
import type { MasterKeys } from "../../crypto/master-key.ts";
import type { FactorAnswer, FactorProof, SecondFactor } from "../../identity/factors/second-factors.ts";
import type { Identity } from "../../identity/identity.ts";
import type { Executor } from "../../storage/storage.ts";
import { findTotp, spendStep } from "./store.ts";
import { isReused, matchingStep } from "./totp.ts";

/** Checks the codes of an enabled authenticator app. Accepts each time step once (ASVS 6.5.1). */
export class TotpFactor implements SecondFactor {
  readonly method = "totp";
  readonly #box: MasterKeys;

  constructor(private readonly identity: Pick<Identity, "clock" | "dataKeys" | "storage">) {
    this.#box = identity.dataKeys.box("totp");
  }

  /**
   * @throws AppError `invalid_code`, alike for a wrong code and for a user without an app; `code_used` for the right code that
   * this user spent last
   */
  async check({ userId, code }: FactorAnswer): Promise<FactorProof> {
    const { storage, clock } = this.identity;
    const factor = await findTotp(storage.read, userId);
    const sealed = factor?.sealed_secret;
    if (!sealed) throw new AppError("invalid_code");
    const secret = this.open(userId, sealed);
    const given = code ?? "";
    const step = matchingStep(secret, given, clock.now(), factor.last_step);
    if (step === null) {
      throw new AppError(isReused(secret, given, clock.now(), factor.last_step) ? "code_used" : "invalid_code");
    }
    return {
      amr: ["otp"],
      keepsUser: true,
      commit: async (tx, now) => {
        if (await spendStep(tx, { user_id: userId, sealed_secret: sealed, step, now })) return;
        // Another request may have spent this very code since the check: a form that was sent twice.
        const latest = await findTotp(tx, userId);
        const isSame = latest?.last_step === step && Buffer.from(latest.sealed_secret ?? []).equals(sealed);
        throw new AppError(isSame ? "code_used" : "invalid_code");
      },
    };
  }

  async isEnrolled(at: Executor, userId: string): Promise<boolean> {
    return (await findTotp(at, userId)) !== undefined;
  }

  seal(userId: string, secret: Uint8Array): Uint8Array {
    return this.#box.seal(secret, { keyId: userId, purpose: "totp" });
  }

  /** Opens a seal for its own user only, so that a row copied to another user does not work there. */
  open(userId: string, sealed: Uint8Array): Uint8Array {
    return this.#box.open(sealed, { keyId: userId, purpose: "totp" });
  }
}
