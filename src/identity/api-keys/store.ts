import { sql } from "kysely";
import type { ApiKeysTable } from "../../storage/schema.ts";
import { isSealedByOther } from "../../storage/seals.ts";
import { type Batch, batchOf, deleteSome, someRows } from "../../storage/some-rows.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";

const keyById = prepared((db, p: Param<{ id: string }>) =>
  db.selectFrom("api_keys").selectAll().where("id", "=", p("id")),
);

export const findApiKey = (at: Executor, id: string) => at.first(keyById, { id });

export async function insertApiKey(tx: Executor, row: ApiKeysTable): Promise<void> {
  await tx.kysely.insertInto("api_keys").values(row).execute();
}

/**
 * Locks a key that has not ended until the transaction ends, so that it cannot make a key while it is revoked.
 * @returns false if it has ended
 */
export async function lockLiveKey(tx: Executor, id: string, now: number): Promise<boolean> {
  const row = await tx.kysely
    .updateTable("api_keys")
    .set((eb) => ({ generation: eb.ref("generation") }))
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .where((eb) => eb.or([eb("expires_at", "is", null), eb("expires_at", ">", now)]))
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

export async function touchApiKey(tx: Executor, id: string, now: number): Promise<void> {
  await tx.kysely.updateTable("api_keys").set({ last_used_at: now }).where("id", "=", id).execute();
}

type SealedColumn = "sealed_secret" | "previous_sealed";

/** Returns the seals of keys that another version of the master key made. */
export async function sealedApiKeys(at: Executor, current: number, limit: number) {
  const found: { id: string; kind: ApiKeysTable["kind"]; column: SealedColumn; sealed: Uint8Array }[] = [];
  for (const column of ["sealed_secret", "previous_sealed"] as const) {
    const rows = await at.kysely
      .selectFrom("api_keys")
      .select(["id", "kind", column])
      .where(isSealedByOther(column, current))
      .limit(limit)
      .execute();
    for (const row of rows) {
      const sealed = row[column];
      if (sealed) found.push({ id: row.id, kind: row.kind, column, sealed });
    }
  }
  return found;
}

/** Replaces a seal, unless a rotation has changed it meanwhile. */
export async function replaceKeySeal(
  tx: Executor,
  row: { id: string; column: SealedColumn; sealed: Uint8Array },
  by: Uint8Array,
): Promise<boolean> {
  const { numUpdatedRows } = await tx.kysely
    .updateTable("api_keys")
    .set({ [row.column]: by })
    .where("id", "=", row.id)
    .where(row.column, "=", row.sealed)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** Deletes keys that ended `before`. */
export function purgeApiKeys(tx: Executor, before: number, limit: number): Promise<Batch> {
  return deleteSome(tx, "api_keys", sql`revoked_at < ${before} OR expires_at < ${before}`, limit);
}

/** Clears the secrets whose overlap after a rotation is over. */
export async function purgePreviousSecrets(tx: Executor, now: number, limit: number): Promise<Batch> {
  const { numUpdatedRows } = await tx.kysely
    .updateTable("api_keys")
    .set({ previous_digest: null, previous_sealed: null, previous_expires_at: null })
    .where(someRows(tx, "api_keys", sql`previous_expires_at <= ${now}`, limit))
    .executeTakeFirstOrThrow();
  return batchOf(numUpdatedRows, limit);
}

/** Returns keys of one application ordered by id, starting after `after`. */
export async function pageOfApiKeys(
  at: Executor,
  page: { applicationId: string; after: string; limit: number },
): Promise<ApiKeysTable[]> {
  return at.kysely
    .selectFrom("api_keys")
    .selectAll()
    .where("application_id", "=", page.applicationId)
    .where("id", ">", page.after)
    .orderBy("id")
    .limit(page.limit)
    .execute();
}

const endOf = (now: number) => ({
  revoked_at: now,
  previous_digest: null,
  previous_sealed: null,
  previous_expires_at: null,
});

/**
 * Revokes a key and every key that descends from it. @returns the keys that this call revoked, the named one first; none when
 * it was already revoked
 */
export async function revokeApiKey(tx: Executor, id: string, now: number): Promise<ApiKeysTable[]> {
  const own = await tx.kysely
    .updateTable("api_keys")
    .set(endOf(now))
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .returningAll()
    .executeTakeFirst();
  if (!own) return [];
  const ended = [own];
  let parents = [id];
  while (parents.length > 0) {
    const children = await revokeChildren(tx, parents, now);
    ended.push(...children);
    parents = children.map((child) => child.id);
  }
  return ended;
}

/**
 * Revokes the keys that these keys made. A key that is being made locks its maker: after the wait for that lock a second look
 * finds the new key.
 */
async function revokeChildren(tx: Executor, parents: readonly string[], now: number): Promise<ApiKeysTable[]> {
  const found: ApiKeysTable[] = [];
  for (;;) {
    const children = await tx.kysely
      .updateTable("api_keys")
      .set(endOf(now))
      .where("parent_id", "in", parents)
      .where("revoked_at", "is", null)
      .returningAll()
      .execute();
    if (children.length === 0) return found;
    found.push(...children);
  }
}

type Rotation = Pick<
  ApiKeysTable,
  "secret_digest" | "sealed_secret" | "previous_digest" | "previous_sealed" | "previous_expires_at" | "rotated_at"
>;

/** Advances a key by one generation. @returns undefined when another request has already rotated or revoked it */
export async function rotateApiKey(
  tx: Executor,
  id: string,
  generation: number,
  rotation: Rotation,
): Promise<ApiKeysTable | undefined> {
  return tx.kysely
    .updateTable("api_keys")
    .set({ ...rotation, generation: generation + 1 })
    .where("id", "=", id)
    .where("generation", "=", generation)
    .where("revoked_at", "is", null)
    .returningAll()
    .executeTakeFirst();
}
