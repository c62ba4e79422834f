import type { Batch } from "../../storage/some-rows.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";

interface Pair extends Record<string, string | number> {
  user_id: string;
  digest: string;
}

const seen = prepared((db, p: Param<Pair & { after: number }>) =>
  db
    .selectFrom("account_devices")
    .select("user_id")
    .where("user_id", "=", p("user_id"))
    .where("digest", "=", p("digest"))
    .where("last_seen_at", ">", p("after")),
);

/** Returns whether the device has signed in to the account since `after`. */
export async function isDeviceOf(at: Executor, params: Pair & { after: number }): Promise<boolean> {
  return (await at.first(seen, params)) !== undefined;
}

const touch = prepared((db, p: Param<Pair & { now: number; after: number }>) =>
  db
    .updateTable("account_devices")
    .set({ last_seen_at: p("now") })
    .where("user_id", "=", p("user_id"))
    .where("digest", "=", p("digest"))
    .where("last_seen_at", ">", p("after"))
    .returning("user_id"),
);

/** Notes another sign-in from a known device. @returns false if the device is unknown to the account */
export async function touchDevice(tx: Executor, params: Pair & { now: number; after: number }): Promise<boolean> {
  return (await tx.first(touch, params)) !== undefined;
}

const count = prepared((db, p: Param<{ user_id: string }>) =>
  db
    .selectFrom("account_devices")
    .select((eb) => eb.fn.countAll().as("count"))
    .where("user_id", "=", p("user_id")),
);

export async function countDevices(at: Executor, userId: string): Promise<number> {
  return Number((await at.first(count, { user_id: userId }))?.count ?? 0);
}

const insert = prepared((db, p: Param<Pair & { tenant_id: string; now: number }>) =>
  db
    .insertInto("account_devices")
    .values({
      user_id: p("user_id"),
      digest: p("digest"),
      tenant_id: p("tenant_id"),
      first_seen_at: p("now"),
      last_seen_at: p("now"),
    })
    .returning("user_id"),
);

export async function insertDevice(tx: Executor, row: Pair & { tenant_id: string; now: number }): Promise<void> {
  await tx.first(insert, row);
}

const move = prepared((db, p: Param<{ tenant_id: string; from: string; to: string }>) =>
  db
    .updateTable("account_devices")
    .set({ digest: p("to") })
    .where("digest", "=", p("from"))
    .where("tenant_id", "=", p("tenant_id"))
    .returning("user_id"),
);

/** Gives a browser's secret a successor, for all accounts of the tenant that the browser has signed in to. */
export async function moveDevices(tx: Executor, tenantId: string, from: string, to: string): Promise<void> {
  await tx.all(move, { tenant_id: tenantId, from, to });
}

const dropOldest = prepared((db, p: Param<Pair & { keep: number }>) =>
  db
    .deleteFrom("account_devices")
    .where("user_id", "=", p("user_id"))
    .where("digest", "!=", p("digest"))
    .where("digest", "not in", (eb) =>
      eb
        .selectFrom("account_devices as latest")
        .select("latest.digest")
        .where("latest.user_id", "=", p("user_id"))
        .orderBy("latest.last_seen_at", "desc")
        .limit(p("keep")),
    )
    .returning("user_id"),
);

/** Keeps this device and a user's latest ones: a program without cookies is a new device at every sign-in. */
export async function keepLatestDevices(tx: Executor, params: Pair & { keep: number }): Promise<void> {
  await tx.all(dropOldest, params);
}

export async function deleteAccountDevices(tx: Executor, userId: string): Promise<void> {
  await tx.kysely.deleteFrom("account_devices").where("user_id", "=", userId).execute();
}

/**
 * Deletes devices last seen before `before`, but never a user's latest one: without any, a stranger's sign-in would pass for
 * the first one. Walks along the index of the times, because a search for deletable rows would read all kept ones first.
 */
export function deviceRetention(before: number) {
  let from = -1;
  return async (tx: Executor, limit: number): Promise<Batch> => {
    const page = await tx.kysely
      .selectFrom("account_devices")
      .select("last_seen_at")
      .where("last_seen_at", ">", from)
      .where("last_seen_at", "<", before)
      .orderBy("last_seen_at")
      .limit(limit)
      .execute();
    const until = page.at(-1)?.last_seen_at;
    if (until === undefined) return { rows: 0, more: false };
    const { numDeletedRows } = await tx.kysely
      .deleteFrom("account_devices")
      .where("last_seen_at", ">", from)
      .where("last_seen_at", "<=", until)
      .where((eb) =>
        eb.exists(
          eb
            .selectFrom("account_devices as later")
            .select("later.user_id")
            .whereRef("later.user_id", "=", "account_devices.user_id")
            .whereRef("later.last_seen_at", ">", "account_devices.last_seen_at"),
        ),
      )
      .executeTakeFirstOrThrow();
    from = until;
    return { rows: Number(numDeletedRows), more: page.length >= limit };
  };
}

/** Returns the devices that a user has signed in with, latest first. */
export async function devicesOf(at: Executor, userId: string, limit: number) {
  return at.kysely
    .selectFrom("account_devices")
    .select(["first_seen_at", "last_seen_at"])
    .where("user_id", "=", userId)
    .orderBy("last_seen_at", "desc")
    .limit(limit)
    .execute();
}
