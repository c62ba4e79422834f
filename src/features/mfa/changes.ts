import { AppError } from "../../core/errors.ts";
import type { Act } from "../../identity/applications/act.ts";
import type { Identity } from "../../identity/identity.ts";
import { lockSession } from "../../identity/sessions/lock.ts";
import type { SessionBundle } from "../../identity/sessions/public.ts";
import type { RecoveryCodes } from "./recovery-codes.ts";
import { deleteCodes, deleteTotp } from "./store.ts";

export interface FactorCaller {
  act: Act;
  session: SessionBundle;
}

/** What happens around a change of somebody's second factors: who is signed out, who is told, and what goes with it. */
export class FactorChanges {
  constructor(
    private readonly identity: Pick<Identity, "accounts" | "clock" | "secondFactors" | "storage">,
    private readonly recoveryCodes: RecoveryCodes,
  ) {}

  /**
   * Takes the authenticator app away, and the codes that stood in for it.
   * @throws AppError `conflict` for who has none, `forbidden` where the application requires one and there is no other
   */
  async removeTotp({ act, session }: FactorCaller): Promise<void> {
    const { accounts, storage, clock, secondFactors } = this.identity;
    const userId = session.user_id;
    await storage.write(async (tx) => {
      const now = clock.now();
      await lockSession(tx, session, now);
      if (!(await deleteTotp(tx, userId))) {
        throw new AppError("conflict", { message: "There is no authenticator app to take away." });
      }
      await deleteCodes(tx, userId);
      const left = await secondFactors.enrolled(tx, userId, null);
      if (act.application.mfa === "required" && left.length === 0) {
        throw new AppError("forbidden", {
          message: "This application requires a second factor. Set up another one first, or a new app in its place.",
        });
      }
      const change = { userId, keep: session.sid, reason: "totp_removed", details: { factor: "totp" } } as const;
      await accounts.credentialChanged(tx, now, act, change);
    });
  }

  /** @throws AppError `conflict` for who has no factor that the codes could stand in for */
  async renewCodes({ act, session }: FactorCaller): Promise<string[]> {
    const { accounts, storage, clock, secondFactors } = this.identity;
    const userId = session.user_id;
    const codes = this.recoveryCodes.generate();
    await storage.write(async (tx) => {
      const now = clock.now();
      await lockSession(tx, session, now);
      if ((await secondFactors.enrolled(tx, userId, null)).length === 0) {
        throw new AppError("conflict", { message: "There is no second factor yet that the codes would stand in for." });
      }
      await this.recoveryCodes.keep(tx, now, { id: userId, tenantId: session.tenant_id }, codes);
      const details = { factor: "recovery_codes" };
      const change = { userId, keep: session.sid, reason: "recovery_codes_renewed", details } as const;
      await accounts.credentialChanged(tx, now, act, change);
    });
    return codes;
  }
}
