import { type Executor, type Param, prepared } from "../../storage/storage.ts";

type Seen = { user_id: string; digest: string; tenant_id: string; now: number };
const see = prepared((db, p: Param<Seen>) =>
  db
    .insertInto("known_devices")
    .values({
      user_id: p("user_id"),
      digest: p("digest"),
      tenant_id: p("tenant_id"),
      first_seen_at: p("now"),
      last_seen_at: p("now"),
    })
    .onConflict((conflict) => conflict.columns(["user_id", "digest"]).doUpdateSet({ last_seen_at: p("now") }))
    .returning(["first_seen_at", "last_seen_at"]),
);

const others = prepared((db, p: Param<{ user_id: string; digest: string }>) =>
  db
    .selectFrom("known_devices")
    .select("user_id")
    .where("user_id", "=", p("user_id"))
    .where("digest", "!=", p("digest"))
    .limit(1),
);

/** Remembers a device. @returns true for a new one of somebody who has signed in with another one before */
export async function isNewDevice(tx: Executor, seen: Seen): Promise<boolean> {
  const row = await tx.first(see, seen);
  if (row?.first_seen_at !== row?.last_seen_at || row?.first_seen_at !== seen.now) return false;
  return (await tx.first(others, { user_id: seen.user_id, digest: seen.digest })) !== undefined;
}

export async function deleteKnownDevices(tx: Executor, userId: string): Promise<void> {
  await tx.kysely.deleteFrom("known_devices").where("user_id", "=", userId).execute();
}

export async function purgeKnownDevices(tx: Executor, before: number): Promise<void> {
  await tx.kysely.deleteFrom("known_devices").where("last_seen_at", "<", before).execute();
}
