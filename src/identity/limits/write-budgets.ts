import type { Clock } from "../../core/clock.ts";
import { SECOND } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import { type Limit, waitFor } from "../../core/limits.ts";
import { RecentMap } from "../../core/recent-map.ts";

/** The number of sessions whose budgets are remembered. A session that is forgotten has a whole budget again. */
const REMEMBERED = 50_000;

/**
 * Bounds the writes of one session: a signed-in user could otherwise fill the disk and keep the writer busy. No secret can be
 * guessed here, so the budgets are in memory: a limit against writes must not write for each of them. Each process counts for
 * itself, and a restart gives a whole budget back.
 */
export class WriteBudgets {
  /** The theoretical arrival times of {@link Limit}, by session. */
  readonly #times = new RecentMap<number>(REMEMBERED);

  constructor(
    private readonly clock: Clock,
    private readonly limit: Limit,
  ) {}

  /**
   * @param key a session, or the user of a token that a customer signed
   * @param cost the number of writes that the call is worth
   * @throws AppError `rate_limited`
   */
  spend(key: string, cost: number): void {
    const { interval, burst } = this.limit;
    const now = this.clock.now();
    const known = this.#times.get(key) ?? now;
    // A time further ahead than a whole budget shows that the clock was set back.
    const since = known > now + burst * interval ? now : Math.max(known, now);
    const after = since + Math.min(cost, burst) * interval;
    const wait = waitFor(this.limit, after - interval, now);
    if (wait > 0) throw new AppError("rate_limited", { retryAfter: Math.ceil(wait / SECOND) });
    this.#times.set(key, after);
  }
}
