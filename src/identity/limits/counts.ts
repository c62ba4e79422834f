import type { Clock } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import type { Limit } from "../../core/limits.ts";
import { admit, clear, release } from "../../storage/rate-limits.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";

/** A limit that an attempt counts against. */
export interface Count {
  key: string;
  limit: Limit;
  /** Whether a right answer restores the whole allowance. Otherwise it gives back only what it took. */
  isCleared?: boolean;
  /** The limits that count once this one is used up. */
  spare?: readonly Count[];
}

/** The allowance that an attempt took. */
export interface Taken {
  /** Gives it back, in the transaction of the right answer. */
  giveBack(tx: Executor): Promise<void>;
}

/** Takes an attempt from several limits at once, or from none of them. */
export class Counts {
  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
  ) {}

  /** @throws AppError `rate_limited` if a limit is used up; then the attempt counts against none */
  async take(act: Act, counts: readonly Count[]): Promise<Taken> {
    const now = this.clock.now();
    const outcome = await this.storage.write(async (tx) => {
      const taken = await takeAll(tx, counts, now);
      if (typeof taken === "number") await act.auditRefusal(tx, now, "attempt.throttled");
      return taken;
    });
    if (typeof outcome === "number") throw new AppError("rate_limited", { retryAfter: outcome });
    return { giveBack: (tx) => giveBackAll(tx, outcome) };
  }

  async clear(tx: Executor, keys: readonly string[]): Promise<void> {
    for (const key of keys) await clear(tx, key);
  }
}

/** Returns the limits that it took from, or the seconds to wait. */
async function takeAll(tx: Executor, counts: readonly Count[], now: number): Promise<Count[] | number> {
  const taken: Count[] = [];
  for (const count of counts) {
    const answer = await admit(tx, count.key, count.limit, now);
    if (answer.admitted) {
      taken.push(count);
      continue;
    }
    const spare = count.spare ? await takeAll(tx, count.spare, now) : answer.retryAfter;
    if (typeof spare !== "number") {
      taken.push(...spare);
      continue;
    }
    // A refused attempt has checked nothing, so it must not use up the total of the account.
    for (const { key, limit } of taken) await release(tx, key, limit);
    return Math.min(spare, answer.retryAfter);
  }
  return taken;
}

async function giveBackAll(tx: Executor, taken: readonly Count[]): Promise<void> {
  for (const { key, limit, isCleared } of taken) {
    if (isCleared) await clear(tx, key);
    else await release(tx, key, limit);
  }
}
