import type { ApiKeysTable } from "../../storage/schema.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";

const keyById = prepared((db, p: Param<{ id: string }>) =>
  db.selectFrom("api_keys").selectAll().where("id", "=", p("id")),
);

export const findApiKey = (at: Executor, id: string) => at.first(keyById, { id });

export async function insertApiKey(tx: Executor, row: ApiKeysTable): Promise<void> {
  await tx.kysely.insertInto("api_keys").values(row).execute();
}

export async function touchApiKey(tx: Executor, id: string, now: number): Promise<void> {
  await tx.kysely.updateTable("api_keys").set({ last_used_at: now }).where("id", "=", id).execute();
}

/** Drops keys that ended `before`, and the secrets whose overlap after a rotation is over. */
export async function purgeApiKeys(tx: Executor, before: number, now: number): Promise<void> {
  await tx.kysely
    .deleteFrom("api_keys")
    .where((eb) => eb.or([eb("revoked_at", "<", before), eb("expires_at", "<", before)]))
    .execute();
  await tx.kysely
    .updateTable("api_keys")
    .set({ previous_digest: null, previous_sealed: null, previous_expires_at: null })
    .where("previous_expires_at", "<=", now)
    .execute();
}
