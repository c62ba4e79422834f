import { AppError } from "../../core/errors.ts";
import type { Identity } from "../../identity/identity.ts";
import { lockSession } from "../../identity/sessions/lock.ts";
import type { AdmittedSession } from "../../rpc/gate.ts";
import type { RecoveryCodes } from "./recovery-codes.ts";
import { deleteTotp } from "./store.ts";

/** Removes or renews a user's second factors, with the sessions that end and the notices that go out. */
export class FactorChanges {
  constructor(
    private readonly identity: Pick<Identity, "accounts" | "clock" | "secondFactors" | "storage">,
    private readonly recoveryCodes: RecoveryCodes,
  ) {}

  /**
   * Removes the authenticator app. The recovery codes go with the last factor.
   * @throws AppError `conflict` if the user has no app, `forbidden` if the application requires a factor and there is no other
   */
  async removeTotp({ act, session }: AdmittedSession): Promise<void> {
    const { accounts, storage, clock, secondFactors } = this.identity;
    const userId = session.user_id;
    await storage.write(async (tx) => {
      const now = clock.now();
      await lockSession(tx, session, now);
      if (!(await deleteTotp(tx, userId))) {
        throw new AppError("conflict", { message: "There is no authenticator app to remove." });
      }
      const left = await secondFactors.enrolled(tx, userId, null);
      if (act.application.mfa === "required" && left.length === 0) {
        throw new AppError("forbidden", {
          message:
            "This application requires a second factor. Set up another one first, or replace this app by a new one.",
        });
      }
      const change = { userId, keep: session.sid, reason: "totp_removed", details: { factor: "totp" } } as const;
      await accounts.credentialChanged(tx, now, act, change);
    });
  }

  /** @throws AppError `conflict` if the user has no factor that the codes could stand in for, `address_unproven` */
  async renewCodes({ act, session }: AdmittedSession): Promise<string[]> {
    const { accounts, storage, clock, secondFactors } = this.identity;
    const userId = session.user_id;
    const codes = this.recoveryCodes.generate();
    await storage.write(async (tx) => {
      const now = clock.now();
      await lockSession(tx, session, now);
      await accounts.requireProven(tx, userId);
      if ((await secondFactors.enrolled(tx, userId, null)).length === 0) {
        throw new AppError("conflict", { message: "Recovery codes stand in for a second factor. Set one up first." });
      }
      await this.recoveryCodes.keep(tx, now, { id: userId, tenantId: session.tenant_id }, codes);
      const details = { factor: "recovery_codes" };
      const change = { userId, keep: session.sid, reason: "recovery_codes_renewed", details } as const;
      await accounts.credentialChanged(tx, now, act, change);
    });
    return codes;
  }
}
