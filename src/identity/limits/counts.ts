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
  /**
   * Gives back only this attempt, as if it had not happened. It is for an answer that proves nothing: a used code that restored
   * the allowance would let its observer guess without end.
   */
  undo(tx: Executor): Promise<void>;
}

/** A limit is used up. */
interface Refusal {
  /** In seconds. */
  retryAfter: number;
  key: string;
}

/** Runs in the transaction that refuses an attempt. @param key the limit that is used up */
export type OnRefusal = (tx: Executor, now: number, key: string) => Promise<void>;

/** Takes an attempt from several limits at once, or from none of them. */
export class Counts {
  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
  ) {}

  /** @throws AppError `rate_limited` if a limit is used up; then the attempt counts against none */
  async take(act: Act, counts: readonly Count[], onRefusal?: OnRefusal): Promise<Taken> {
    const now = this.clock.now();
    const outcome = await this.storage.write(async (tx) => {
      const taken = await takeAll(tx, counts, now);
      if (!isRefusal(taken)) return taken;
      await act.auditRefusal(tx, now, "attempt.throttled");
      await onRefusal?.(tx, now, taken.key);
      return taken;
    });
    if (isRefusal(outcome)) throw new AppError("rate_limited", { retryAfter: outcome.retryAfter });
    const undo = async (tx: Executor) => {
      for (const { key, limit } of outcome) await release(tx, key, limit);
    };
    return { giveBack: (tx) => giveBackAll(tx, outcome), undo };
  }

  async clear(tx: Executor, keys: readonly string[]): Promise<void> {
    for (const key of keys) await clear(tx, key);
  }
}

function isRefusal(outcome: Count[] | Refusal): outcome is Refusal {
  return !Array.isArray(outcome);
}

/** Returns the limits that it took from, or the refusal. */
async function takeAll(tx: Executor, counts: readonly Count[], now: number): Promise<Count[] | Refusal> {
  const taken: Count[] = [];
  for (const count of counts) {
    const answer = await admit(tx, count.key, count.limit, now);
    if (answer.admitted) {
      taken.push(count);
      continue;
    }
    const spare = count.spare ? await takeAll(tx, count.spare, now) : { retryAfter: answer.retryAfter, key: count.key };
    if (!isRefusal(spare)) {
      taken.push(...spare);
      continue;
    }
    // A refused attempt has checked nothing, so it must not use up the total of the account.
    for (const { key, limit } of taken) await release(tx, key, limit);
    return { retryAfter: Math.min(spare.retryAfter, answer.retryAfter), key: count.key };
  }
  return taken;
}

async function giveBackAll(tx: Executor, taken: readonly Count[]): Promise<void> {
  for (const { key, limit, isCleared } of taken) {
    if (isCleared) await clear(tx, key);
    else await release(tx, key, limit);
  }
}
