import type { RequestOrigin } from "../../core/caller.ts";
import type { Clock } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { Limit } from "../../core/limits.ts";
import { sha256Base64url } from "../../crypto/secrets.ts";
import { appendRefusal } from "../../identity/audit/refusals.ts";
import type { Identity } from "../../identity/identity.ts";
import type { Application } from "../../identity/tenants/directory.ts";
import { admit, clear } from "../../storage/rate-limits.ts";
import type { Executor } from "../../storage/storage.ts";

/**
 * Attempts are counted by account and network together, by account, and by network: a guesser of one password, a guesser
 * from many networks, and one that tries many accounts each meet a limit, and none can lock an owner out for ever. Kept in
 * the database: a restart forgives nothing.
 */
export class AttemptLimits {
  constructor(
    private readonly identity: Identity,
    private readonly clock: Clock,
  ) {}

  /** Counts one attempt to prove a password, before the work. @throws AppError `rate_limited` */
  async password(application: Application, account: string, origin: RequestOrigin): Promise<void> {
    const { settings } = this.identity;
    const keys = this.#keys(application, account, origin);
    await this.#take(application, origin, [
      [keys.pair, settings.limit_account],
      [keys.account, settings.limit_account_total],
      [`network:${origin.network}`, settings.limit_network],
    ]);
  }

  async signUp(application: Application, origin: RequestOrigin): Promise<void> {
    await this.#take(application, origin, [[`sign-up:${origin.network}`, this.identity.settings.limit_sign_up]]);
  }

  /** The password was right: what was counted against the account from this network is forgotten. */
  async forgive(tx: Executor, application: Application, account: string, origin: RequestOrigin): Promise<void> {
    await clear(tx, this.#keys(application, account, origin).pair);
  }

  #keys(application: Application, account: string, origin: RequestOrigin) {
    const digest = sha256Base64url(`${application.tenant.id}:${account}`);
    return { pair: `account:${digest}:${origin.network}`, account: `account:${digest}` };
  }

  async #take(application: Application, origin: RequestOrigin, limits: [string, Limit][]): Promise<void> {
    const now = this.clock.now();
    const retryAfter = await this.identity.storage.write(async (tx) => {
      for (const [key, limit] of limits) {
        const answer = await admit(tx, key, limit, now);
        if (answer.admitted) continue;
        await appendRefusal(tx, now, {
          tenantId: application.tenant.id,
          actor: { kind: "anonymous", id: null },
          action: "attempt.throttled",
          applicationId: application.id,
          origin,
        });
        return answer.retryAfter;
      }
      return 0;
    });
    if (retryAfter > 0) throw new AppError("rate_limited", { retryAfter });
  }
}
