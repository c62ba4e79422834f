import type { TrustedDevicesTable } from "../../storage/schema-people.ts";
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
    .returning("id"),
);
/** Looked up by a digest of 256 random bits: what a comparison's time gives away leads to no secret. */
export const touchTrustedDevice = (tx: Executor, params: Touch) => tx.first(touch, params);

/** Of one user: after a change of password or factor every device proves itself again. */
export async function deleteTrustedDevices(tx: Executor, userId: string): Promise<void> {
  await tx.kysely.deleteFrom("trusted_devices").where("user_id", "=", userId).execute();
}

export async function purgeTrustedDevices(tx: Executor, before: number): Promise<void> {
  await tx.kysely.deleteFrom("trusted_devices").where("expires_at", "<", before).execute();
}
