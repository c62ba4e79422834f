import { AppError } from "../../core/errors.ts";
import type { UserPart } from "../../core/feature.ts";
import { countTrustedDevices, pageOfDevices, removeDevice } from "../../identity/factors/public.ts";
import type { Identity } from "../../identity/identity.ts";
import { distrustSessions, findSession, isLiveSession } from "../../identity/sessions/public.ts";
import { countEmails } from "../../identity/users/emails/public.ts";
import { lockUser } from "../../identity/users/public.ts";
import type { AdmittedSession } from "../../rpc/gate.ts";
import { cutPage } from "../../rpc/schemas.ts";
import type { Executor } from "../../storage/storage.ts";
import { toWireDevice } from "./wire.ts";

/** Shows a signed-in person the account as a whole, and deletes it. */
export class Account {
  constructor(
    private readonly identity: Pick<Identity, "accounts" | "clock" | "storage">,
    private readonly securityOfFeatures: UserPart<Executor>,
  ) {}

  async security({ act, session }: AdmittedSession) {
    const { storage, clock } = this.identity;
    const userId = session.user_id;
    const user = { userId, applicationId: act.application.id, now: clock.now() };
    const part = await this.securityOfFeatures.read(storage.read, { ...user, limit: 1 });
    const devices = await countTrustedDevices(storage.read, user);
    return { ...part, trusted_devices: devices, emails: await countEmails(storage.read, userId) };
  }

  async devices(caller: AdmittedSession, limit: number, cursor: string | null) {
    const after = cursor ?? "";
    const rows = await pageOfDevices(this.identity.storage.read, {
      user_id: caller.session.user_id,
      application_id: caller.act.application.id,
      now: this.identity.clock.now(),
      after,
      limit: limit + 1,
    });
    return cutPage(rows, limit, (row) => row.id, toWireDevice);
  }

  /** @throws AppError `not_found` unless this is a device of this user in this application */
  removeDevice({ act, session }: AdmittedSession, id: string): Promise<void> {
    const { storage, clock } = this.identity;
    return storage.write(async (tx) => {
      const now = clock.now();
      const device = { id, user_id: session.user_id, application_id: act.application.id, now };
      if (!(await removeDevice(tx, device))) throw new AppError("not_found");
      await distrustSessions(tx, session.user_id, id);
      await act.audit(tx, now, "trusted_device.removed", { kind: "trusted_device", id });
    });
  }

  /**
   * Deletes the caller's account. Of several requests at once, only one deletes it.
   * @throws AppError `token_revoked` if the session has ended since the gate admitted it
   */
  delete({ act, session }: AdmittedSession): Promise<void> {
    const { storage, clock, accounts } = this.identity;
    const userId = session.user_id;
    return storage.write(async (tx) => {
      const now = clock.now();
      const held = await lockUser(tx, act.application.tenant.id, userId, now);
      const asked = held ? await findSession(tx, session.sid) : undefined;
      if (!asked || !isLiveSession(asked, now)) throw new AppError("token_revoked");
      await accounts.delete(tx, act, userId);
    });
  }
}
