import { DAY } from "../../core/clock.ts";
import { systemAct } from "../../identity/audit/act.ts";
import type { Identity } from "../../identity/identity.ts";
import { lockUser } from "../../identity/users/public.ts";

/** The maximum number of users in one run. The next run deletes the rest. */
const BATCH = 1_000;

/** Deletes anonymous users who can never come back. */
export class AbandonedUsers {
  constructor(
    private readonly identity: Pick<Identity, "accounts" | "clock" | "credentials" | "directory" | "storage">,
    /** In days. */
    private readonly retention: number,
  ) {}

  /** Uses one transaction for each user, so that other writes do not wait for a whole batch. */
  async delete(limit: number = BATCH): Promise<void> {
    const { storage, clock, credentials } = this.identity;
    const now = clock.now();
    const age = { now, before: now - this.retention * DAY };
    for (const user of await credentials.abandoned(storage.read, age, limit)) await this.#deleteOne(user, age);
  }

  async #deleteOne(user: { id: string; tenant_id: string }, age: { now: number; before: number }): Promise<void> {
    const { storage, directory, accounts, credentials } = this.identity;
    const application = await directory.anyApplication(user.tenant_id);
    if (!application) return;
    await storage.write(async (tx) => {
      // Since the list was read, another node may have deleted the user, or a backend may have claimed the account.
      if (!(await lockUser(tx, user.tenant_id, user.id, age.now))) return;
      if (!(await credentials.isStillAbandoned(tx, user.id, age))) return;
      await accounts.delete(tx, systemAct(application), user.id);
    });
  }
}
