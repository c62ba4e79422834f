import { sql } from "kysely";
import { MINUTE, SECOND } from "../core/clock.ts";
import { type Limit, waitFor } from "../core/limits.ts";
import { type Batch, deleteSome } from "./some-rows.ts";
import { type Executor, type Param, prepared } from "./storage.ts";

/** `retryAfter` in whole seconds, at least 1. */
export type Admission = { admitted: true } | { admitted: false; retryAfter: number };

/**
 * Milliseconds by which the clocks of two nodes, or of two requests of one node, may differ. A later TAT shows that a clock was
 * set back.
 */
const SKEW = MINUTE;

interface AdmitParams extends Record<string, string | number> {
  key: string;
  now: number;
  interval: number;
  /** The TAT of a key that starts afresh. */
  fresh: number;
  /** The latest stored TAT that still admits a call. */
  latest: number;
  /** The latest TAT that a node with this clock or a slightly faster one can have stored. */
  horizon: number;
  /** The TAT of a key whose whole allowance was taken now. */
  spent: number;
}

/**
 * A TAT beyond the horizon must not lock anyone out until then. This call is admitted, and takes the whole allowance with it: the
 * owner's right answer passes and is given back, and a guesser waits one interval for each further guess. The allowance is not
 * restored, because two nodes with different clocks would otherwise restore it for each other again and again.
 */
const take = prepared((db, p: Param<AdmitParams>) =>
  db
    .insertInto("rate_limits")
    .values({ key: p("key"), tat_at: p("fresh"), expires_at: p("fresh") })
    .onConflict((conflict) => {
      const tat = sql<number>`CASE WHEN rate_limits.tat_at > ${p("horizon")} THEN ${p("spent")}
        WHEN rate_limits.tat_at < ${p("now")} THEN excluded.tat_at ELSE rate_limits.tat_at + ${p("interval")} END`;
      return conflict
        .column("key")
        .doUpdateSet({ tat_at: tat, expires_at: tat })
        .where((eb) =>
          eb.or([eb("rate_limits.tat_at", "<=", p("latest")), eb("rate_limits.tat_at", ">", p("horizon"))]),
        );
    })
    .returning("tat_at"),
);

const stored = prepared((db, p: Param<{ key: string }>) =>
  db.selectFrom("rate_limits").select("tat_at").where("key", "=", p("key")),
);

const remove = prepared((db, p: Param<{ key: string }>) => db.deleteFrom("rate_limits").where("key", "=", p("key")));

/**
 * Takes one call from a key's allowance, or says when to come back. One conditional statement decides, so that callers on
 * several nodes cannot both take the last call.
 * @param now milliseconds since the epoch
 */
export async function admit(tx: Executor, key: string, limit: Limit, now: number): Promise<Admission> {
  const { interval } = limit;
  const spent = now + limit.burst * interval;
  const params = { key, now, interval, fresh: now + interval, latest: spent - interval, horizon: spent + SKEW, spent };
  if (await tx.first(take, params)) return { admitted: true };
  const row = await tx.first(stored, { key });
  const wait = row ? waitFor(limit, row.tat_at, now) : 0;
  return { admitted: false, retryAfter: Math.max(1, Math.ceil(wait / SECOND)) };
}

const giveBack = prepared((db, p: Param<{ key: string; interval: number }>) =>
  db
    .updateTable("rate_limits")
    .set((eb) => ({
      tat_at: eb("tat_at", "-", p("interval")),
      expires_at: eb("expires_at", "-", p("interval")),
    }))
    .where("key", "=", p("key"))
    .returning("key"),
);

/** Gives one taken call back. */
export async function release(tx: Executor, key: string, { interval }: Limit): Promise<void> {
  tx.atEnd(giveBack, { key, interval });
}

/** Restores the whole allowance of a key. */
export async function clear(tx: Executor, key: string): Promise<void> {
  tx.atEnd(remove, { key });
}

/** Deletes the keys whose limit has refilled. */
export function purgeRateLimits(tx: Executor, now: number, limit: number): Promise<Batch> {
  return deleteSome(tx, "rate_limits", sql`expires_at < ${now}`, limit);
}
