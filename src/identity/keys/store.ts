import { sql } from "kysely";
import { MINUTE } from "../../core/clock.ts";
import type { DataKeysTable, KeyAlgorithm, SigningKeysTable } from "../../storage/schema.ts";
import { isSealedByOther } from "../../storage/seals.ts";
import { type Batch, deleteSome } from "../../storage/some-rows.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";

/** The setting that holds a known text, sealed by the master key. A key that opens it is the right one. */
export const MASTER_KEY_CHECK = "master_key_check";

export async function getSetting(at: Executor, name: string): Promise<string | undefined> {
  const row = await at.kysely
    .selectFrom("instance_settings")
    .select("value")
    .where("name", "=", name)
    .executeTakeFirst();
  return row?.value;
}

/** Keeps the first value that was ever stored, so that two nodes that start at once agree. */
export async function putSettingOnce(tx: Executor, name: string, value: string): Promise<void> {
  await tx.kysely
    .insertInto("instance_settings")
    .values({ name, value })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .execute();
}

export async function listDataKeys(at: Executor): Promise<DataKeysTable[]> {
  return at.kysely.selectFrom("data_keys").selectAll().orderBy("purpose").orderBy("version").execute();
}

/** Replaces a seal, unless it has changed meanwhile. */
export async function replaceDataKeySeal(tx: Executor, row: DataKeysTable, by: Uint8Array): Promise<boolean> {
  const { numUpdatedRows } = await tx.kysely
    .updateTable("data_keys")
    .set({ sealed: by })
    .where("purpose", "=", row.purpose)
    .where("version", "=", row.version)
    .where("sealed", "=", row.sealed)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** Returns signing keys, expired ones too, that another version of the master key sealed. */
export async function sealedSigningKeys(at: Executor, current: number, limit: number) {
  return at.kysely
    .selectFrom("signing_keys")
    .select(["id", "sealed_private"])
    .where(isSealedByOther("sealed_private", current))
    .limit(limit)
    .execute();
}

export async function replaceSigningKeySeal(
  tx: Executor,
  row: Pick<SigningKeysTable, "id" | "sealed_private">,
  by: Uint8Array,
): Promise<boolean> {
  const { numUpdatedRows } = await tx.kysely
    .updateTable("signing_keys")
    .set({ sealed_private: by })
    .where("id", "=", row.id)
    .where("sealed_private", "=", row.sealed_private)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

export async function putSetting(tx: Executor, name: string, value: string): Promise<void> {
  await tx.kysely.updateTable("instance_settings").set({ value }).where("name", "=", name).execute();
}

export async function insertDataKeyOnce(tx: Executor, row: DataKeysTable): Promise<void> {
  await tx.kysely
    .insertInto("data_keys")
    .values(row)
    .onConflict((conflict) => conflict.columns(["purpose", "version"]).doNothing())
    .execute();
}

const keysOfTenant = prepared((db, p: Param<{ tenant_id: string; now: number }>) =>
  db
    .selectFrom("signing_keys")
    .selectAll()
    .where("tenant_id", "=", p("tenant_id"))
    .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", p("now"))]))
    .orderBy("algorithm")
    .orderBy("active_at"),
);
const keyById = prepared((db, p: Param<{ id: string }>) =>
  db.selectFrom("signing_keys").select("tenant_id").where("id", "=", p("id")),
);

/** Returns every key of the tenant that verifiers may still need, oldest first. */
export const listSigningKeys = (at: Executor, tenantId: string, now: number) =>
  at.all(keysOfTenant, { tenant_id: tenantId, now });

export const findSigningKeyTenant = (at: Executor, id: string) => at.first(keyById, { id });

/** Returns every stored signing key, including expired ones. */
export async function listAllSigningKeys(at: Executor): Promise<SigningKeysTable[]> {
  return at.kysely.selectFrom("signing_keys").selectAll().orderBy("id").execute();
}

export async function insertSigningKey(tx: Executor, row: SigningKeysTable): Promise<void> {
  await tx.kysely.insertInto("signing_keys").values(row).execute();
}

/** Retires the predecessors of a key: they sign until `retiredAt` and stay published until `expiresAt`. */
export async function retireOtherSigningKeys(
  tx: Executor,
  key: { tenantId: string; algorithm: KeyAlgorithm; keep: string; retiredAt: number; expiresAt: number },
): Promise<void> {
  await tx.kysely
    .updateTable("signing_keys")
    .set({ retired_at: key.retiredAt, expires_at: key.expiresAt })
    .where("tenant_id", "=", key.tenantId)
    .where("algorithm", "=", key.algorithm)
    .where("id", "<>", key.keep)
    .where((eb) => eb.or([eb("retired_at", "is", null), eb("retired_at", ">", key.retiredAt)]))
    .execute();
}

/** Withdraws a key that still verifies. @returns undefined for another key */
export async function withdrawSigningKey(tx: Executor, id: string, now: number, expiresAt: number) {
  return tx.kysely
    .updateTable("signing_keys")
    .set((eb) => ({
      withdrawn_at: now,
      retired_at: eb.case().when("retired_at", "<", now).then(eb.ref("retired_at")).else(now).end(),
      expires_at: expiresAt,
    }))
    .where("id", "=", id)
    .where("withdrawn_at", "is", null)
    .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", now)]))
    .returningAll()
    .executeTakeFirst();
}

/** Lets a published key sign from now on. */
export async function activateSigningKey(tx: Executor, id: string, now: number): Promise<void> {
  await tx.kysely
    .updateTable("signing_keys")
    .set({ active_at: now })
    .where("id", "=", id)
    .where("active_at", ">", now)
    .execute();
}

/**
 * Keeps keys that still sign, or stopped a moment ago, for tokens that live `life` ms, after a lifetime was raised. Their end was
 * set by the lifetime of before.
 */
export async function keepRetiringKeys(tx: Executor, tenantId: string, now: number, life: number): Promise<void> {
  await tx.kysely
    .updateTable("signing_keys")
    .set({ expires_at: sql<number>`retired_at + ${life}` })
    .where("tenant_id", "=", tenantId)
    .where("retired_at", ">", now - MINUTE)
    .where(sql<boolean>`retired_at + ${life} > expires_at`)
    .execute();
}

export function purgeSigningKeys(tx: Executor, before: number, limit: number): Promise<Batch> {
  return deleteSome(tx, "signing_keys", sql`expires_at < ${before}`, limit);
}
