import type { Clock } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { Limit } from "../../core/limits.ts";
import { sha256Base64url } from "../../crypto/secrets.ts";
import { admit, clear } from "../../storage/rate-limits.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";

interface AttemptSettings {
  limit_account: Limit;
  limit_account_total: Limit;
  limit_network: Limit;
  limit_second_factor: Limit;
  limit_mail_account: Limit;
  limit_mail_network: Limit;
  limit_sign_up: Limit;
  limit_anonymous: Limit;
}

const SECOND_FACTOR = "mfa";

/**
 * Counts attempts by account and network together, by account, and by network. So a guesser of one secret, a guesser on many
 * networks and a guesser of many accounts each meet a limit, and none can lock an owner out forever. The counts are in the
 * database, so a restart resets nothing.
 */
export class Attempts {
  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    private readonly settings: AttemptSettings,
  ) {}

  /**
   * Counts one attempt to prove something, before the work. `account` counts passwords; another word has a separate counter.
   * @param account the canonical form of the given address, or the user's id
   * @throws AppError `rate_limited`
   */
  async proof(act: Act, what: string, account: string): Promise<void> {
    const { settings } = this;
    const keys = keysOf(act, what, account);
    await this.take(act, [
      [keys.pair, settings.limit_account],
      [keys.account, settings.limit_account_total],
      [`network:${act.origin.network}`, settings.limit_network],
    ]);
  }

  /**
   * Counts as {@link proof} does, for a second factor. The caller has already proven a first factor and a code has only six
   * digits, so consecutive wrong codes are also limited to a few a day, from any network (NIST SP 800-63B-4 section 3.2.2).
   * @throws AppError `rate_limited`
   */
  async secondFactor(act: Act, userId: string): Promise<void> {
    const { settings } = this;
    const keys = keysOf(act, SECOND_FACTOR, userId);
    await this.take(act, [
      [keys.pair, settings.limit_account],
      [keys.account, settings.limit_account_total],
      [keys.inARow, settings.limit_second_factor],
      [`network:${act.origin.network}`, settings.limit_network],
    ]);
  }

  /** Resets the counts after a correct second factor. */
  async forgiveSecondFactor(tx: Executor, act: Act, userId: string): Promise<void> {
    const keys = keysOf(act, SECOND_FACTOR, userId);
    await clear(tx, keys.pair);
    await clear(tx, keys.inARow);
  }

  /** Counts one mail that a stranger asks for, whether or not the account exists. @throws AppError `rate_limited` */
  async mail(act: Act, account: string): Promise<void> {
    const keys = keysOf(act, "mail", account);
    await this.take(act, [
      [keys.account, this.settings.limit_mail_account],
      [`mail:${act.origin.network}`, this.settings.limit_mail_network],
    ]);
  }

  /** Counts one sign-up. @throws AppError `rate_limited` */
  async signUp(act: Act): Promise<void> {
    await this.take(act, [[`sign-up:${act.origin.network}`, this.settings.limit_sign_up]]);
  }

  /** Counts one new anonymous user. @throws AppError `rate_limited` */
  async anonymous(act: Act): Promise<void> {
    await this.take(act, [[`anonymous:${act.origin.network}`, this.settings.limit_anonymous]]);
  }

  /** Resets the count of the account on this network after a correct proof. */
  async forgive(tx: Executor, act: Act, what: string, account: string): Promise<void> {
    await clear(tx, keysOf(act, what, account).pair);
  }

  async take(act: Act, limits: readonly [string, Limit][]): Promise<void> {
    const now = this.clock.now();
    const retryAfter = await this.storage.write(async (tx) => {
      for (const [key, limit] of limits) {
        const answer = await admit(tx, key, limit, now);
        if (answer.admitted) continue;
        await act.auditRefusal(tx, now, "attempt.throttled");
        return answer.retryAfter;
      }
      return 0;
    });
    if (retryAfter > 0) throw new AppError("rate_limited", { retryAfter });
  }
}

function keysOf({ application, origin }: Act, what: string, account: string) {
  const digest = sha256Base64url(`${application.tenant.id}:${account}`);
  const key = `${what}:${digest}`;
  return { pair: `${key}:${origin.network}`, account: key, inARow: `${key}:in-a-row` };
}
