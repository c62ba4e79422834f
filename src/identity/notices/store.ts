import type { Batch } from "../../storage/some-rows.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";

type Seen = { user_id: string; digest: string; tenant_id: string; now: number };

const seeAgain = prepared((db, p: Param<Seen>) =>
  db
    .updateTable("known_devices")
    .set({ last_seen_at: p("now") })
    .where("user_id", "=", p("user_id"))
    .where("digest", "=", p("digest"))
    .returning("user_id"),
);

const seeFirst = prepared((db, p: Param<Seen>) =>
  db
    .insertInto("known_devices")
    .values({
      user_id: p("user_id"),
      digest: p("digest"),
      tenant_id: p("tenant_id"),
      first_seen_at: p("now"),
      last_seen_at: p("now"),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning("user_id"),
);

const others = prepared((db, p: Param<{ user_id: string; digest: string }>) =>
  db
    .selectFrom("known_devices")
    .select("user_id")
    .where("user_id", "=", p("user_id"))
    .where("digest", "!=", p("digest"))
    .limit(1),
);

/**
 * Remembers a device. Of several simultaneous sign-ins with a new device only one finds it new.
 * @returns true for a new device of a user who has signed in with another device before
 */
export async function isNewDevice(tx: Executor, seen: Seen): Promise<boolean> {
  if ((await tx.first(seeAgain, seen)) || !(await tx.first(seeFirst, seen))) return false;
  return (await tx.first(others, { user_id: seen.user_id, digest: seen.digest })) !== undefined;
}

export async function deleteKnownDevices(tx: Executor, userId: string): Promise<void> {
  await tx.kysely.deleteFrom("known_devices").where("user_id", "=", userId).execute();
}

/**
 * Deletes devices last seen before `before`, but never a user's latest one: without any, a stranger's sign-in would pass for
 * the first one. Walks along the index of the times, because a search for deletable rows would read all kept ones first.
 */
export function knownDevicesRetention(before: number) {
  let from = -1;
  return async (tx: Executor, limit: number): Promise<Batch> => {
    const page = await tx.kysely
      .selectFrom("known_devices")
      .select("last_seen_at")
      .where("last_seen_at", ">", from)
      .where("last_seen_at", "<", before)
      .orderBy("last_seen_at")
      .limit(limit)
      .execute();
    const until = page.at(-1)?.last_seen_at;
    if (until === undefined) return { rows: 0, more: false };
    const { numDeletedRows } = await tx.kysely
      .deleteFrom("known_devices")
      .where("last_seen_at", ">", from)
      .where("last_seen_at", "<=", until)
      .where((eb) =>
        eb.exists(
          eb
            .selectFrom("known_devices as later")
            .select("later.user_id")
            .whereRef("later.user_id", "=", "known_devices.user_id")
            .whereRef("later.last_seen_at", ">", "known_devices.last_seen_at"),
        ),
      )
      .executeTakeFirstOrThrow();
    from = until;
    return { rows: Number(numDeletedRows), more: page.length >= limit };
  };
}

/** Returns the kinds of devices that a user has signed in with, latest first. */
export async function knownDevicesOf(at: Executor, userId: string, limit: number) {
  return at.kysely
    .selectFrom("known_devices")
    .select(["first_seen_at", "last_seen_at"])
    .where("user_id", "=", userId)
    .orderBy("last_seen_at", "desc")
    .limit(limit)
    .execute();
}
