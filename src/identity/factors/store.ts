import { sql } from "kysely";
import type { TrustedDevicesTable } from "../../storage/schema-people.ts";
import { type Batch, deleteSome } from "../../storage/some-rows.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";

export async function insertTrustedDevice(tx: Executor, row: TrustedDevicesTable): Promise<void> {
  await tx.kysely.insertInto("trusted_devices").values(row).execute();
}

type Touch = { id: string; user_id: string; application_id: string; secret_digest: Uint8Array; now: number };
const touch = prepared((db, p: Param<Touch>) =>
  db
    .updateTable("trusted_devices")
    .set({ last_used_at: p("now") })
    .where("id", "=", p("id"))
    .where("user_id", "=", p("user_id"))
    .where("application_id", "=", p("application_id"))
    .where("secret_digest", "=", p("secret_digest"))
    .where("expires_at", ">", p("now"))
    .returning(["id", "expires_at"]),
);
/** Finds a device by a digest of 256 random bits. The time of the comparison reveals nothing about the secret. */
export const touchTrustedDevice = (tx: Executor, params: Touch) => tx.first(touch, params);

/** Deletes a user's devices. After a change of password or factor every device must prove a second factor again. */
export async function deleteTrustedDevices(tx: Executor, userId: string): Promise<void> {
  await tx.kysely.deleteFrom("trusted_devices").where("user_id", "=", userId).execute();
}

export function purgeTrustedDevices(tx: Executor, before: number, limit: number): Promise<Batch> {
  return deleteSome(tx, "trusted_devices", sql`expires_at < ${before}`, limit);
}

type DevicePage = { user_id: string; application_id: string; now: number; after: string; limit: number };
const devicePage = prepared((db, p: Param<DevicePage>) =>
  db
    .selectFrom("trusted_devices")
    .select(["id", "user_agent", "created_at", "last_used_at", "expires_at"])
    .where("user_id", "=", p("user_id"))
    .where("application_id", "=", p("application_id"))
    .where("expires_at", ">", p("now"))
    .where("id", ">", p("after"))
    .orderBy("id")
    .limit(p("limit")),
);

/** Returns devices that a user trusts in one application, ordered by id, starting after `after`. */
export const pageOfDevices = (at: Executor, page: DevicePage) => at.all(devicePage, page);

const deleteDevice = prepared(
  (db, p: Param<Pick<TrustedDevicesTable, "id" | "user_id" | "application_id"> & { now: number }>) =>
    db
      .deleteFrom("trusted_devices")
      .where("id", "=", p("id"))
      .where("user_id", "=", p("user_id"))
      .where("application_id", "=", p("application_id"))
      .where("expires_at", ">", p("now"))
      .returning("id"),
);

/** Removes a device. @returns false when this user and application have no such device */
export async function removeDevice(
  tx: Executor,
  device: { id: string; user_id: string; application_id: string; now: number },
): Promise<boolean> {
  return (await tx.first(deleteDevice, device)) !== undefined;
}

/** Returns devices that a user trusts in any application, newest first. */
export async function trustedDevicesOf(at: Executor, userId: string, limit: number) {
  return at.kysely
    .selectFrom("trusted_devices")
    .select(["id", "application_id", "user_agent", "created_at", "last_used_at", "expires_at"])
    .where("user_id", "=", userId)
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
}

/** Counts the unexpired devices that a user trusts in one application. */
export async function countTrustedDevices(
  at: Executor,
  user: { userId: string; applicationId: string; now: number },
): Promise<number> {
  const row = await at.kysely
    .selectFrom("trusted_devices")
    .select((eb) => eb.fn.countAll().as("count"))
    .where("user_id", "=", user.userId)
    .where("application_id", "=", user.applicationId)
    .where("expires_at", ">", user.now)
    .executeTakeFirst();
  return Number(row?.count ?? 0);
}
