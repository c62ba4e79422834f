import type { ApiKeysTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";

/** Keys of one application in the order of their ids, after `after`. */
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

/** @returns undefined when it was revoked before */
export async function revokeApiKey(tx: Executor, id: string, now: number): Promise<ApiKeysTable | undefined> {
  return tx.kysely
    .updateTable("api_keys")
    .set({
      revoked_at: now,
      previous_digest: null,
      previous_sealed: null,
      previous_expires_at: null,
    })
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .returningAll()
    .executeTakeFirst();
}

type Rotation = Pick<
  ApiKeysTable,
  "secret_digest" | "sealed_secret" | "previous_digest" | "previous_sealed" | "previous_expires_at" | "rotated_at"
>;

/** From one generation to the next. @returns undefined when another request rotated or revoked it meanwhile */
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
