import { DAY } from "../../core/clock.ts";
import { systemAct } from "../../identity/audit/act.ts";
import type { Identity } from "../../identity/identity.ts";
import { lockUser } from "../../identity/users/public.ts";

/** In one run: what is left comes with the next. */
const BATCH = 1_000;

/** Anonymous users who can never come back. */
export class AbandonedUsers {
  constructor(
    private readonly identity: Pick<Identity, "accounts" | "clock" | "credentials" | "directory" | "storage">,
    /** Days. */
    private readonly retention: number,
  ) {}

  /** A transaction each, so that no other write waits for a batch. */
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
      // Another node may have been first, or a backend have claimed the account since the list was read.
      if (!(await lockUser(tx, user.tenant_id, user.id, age.now))) return;
      if (!(await credentials.isStillAbandoned(tx, user.id, age))) return;
      await accounts.delete(tx, systemAct(application), user.id);
    });
  }
}
