import { sql } from "kysely";
import type { ClientGrantsTable, ClientSecretsTable } from "../../storage/schema.ts";
import { type Batch, deleteSome } from "../../storage/some-rows.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";

const secretById = prepared((db, p: Param<{ id: string }>) =>
  db.selectFrom("client_secrets").selectAll().where("id", "=", p("id")),
);
export const findClientSecret = (at: Executor, id: string) => at.first(secretById, { id });

export async function insertClientSecret(tx: Executor, row: ClientSecretsTable): Promise<void> {
  await tx.kysely.insertInto("client_secrets").values(row).execute();
}

/** Returns a client's secrets, oldest first, including ended ones. */
export async function listClientSecrets(at: Executor, applicationId: string): Promise<ClientSecretsTable[]> {
  return at.kysely
    .selectFrom("client_secrets")
    .selectAll()
    .where("application_id", "=", applicationId)
    .orderBy("id")
    .execute();
}

/** Revokes a secret. @returns undefined when it was already revoked */
export async function revokeClientSecretRow(tx: Executor, id: string, now: number) {
  return tx.kysely
    .updateTable("client_secrets")
    .set({ revoked_at: now })
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .returningAll()
    .executeTakeFirst();
}

export async function touchClientSecret(tx: Executor, id: string, now: number): Promise<void> {
  await tx.kysely.updateTable("client_secrets").set({ last_used_at: now }).where("id", "=", id).execute();
}

export function purgeClientSecrets(tx: Executor, before: number, limit: number): Promise<Batch> {
  return deleteSome(tx, "client_secrets", sql`revoked_at < ${before}`, limit);
}

const grantOf = prepared((db, p: Param<{ application_id: string; audience: string }>) =>
  db
    .selectFrom("client_grants")
    .selectAll()
    .where("application_id", "=", p("application_id"))
    .where("audience", "=", p("audience")),
);
export const findClientGrant = (at: Executor, applicationId: string, audience: string) =>
  at.first(grantOf, { application_id: applicationId, audience });

export async function putClientGrant(tx: Executor, row: ClientGrantsTable): Promise<void> {
  await tx.kysely
    .insertInto("client_grants")
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(["application_id", "audience"]).doUpdateSet({ scopes: row.scopes, updated_at: row.updated_at }),
    )
    .execute();
}

export async function deleteClientGrant(tx: Executor, applicationId: string, audience: string): Promise<boolean> {
  const row = await tx.kysely
    .deleteFrom("client_grants")
    .where("application_id", "=", applicationId)
    .where("audience", "=", audience)
    .returning("audience")
    .executeTakeFirst();
  return row !== undefined;
}

export async function listClientGrants(at: Executor, applicationId: string): Promise<ClientGrantsTable[]> {
  return at.kysely
    .selectFrom("client_grants")
    .selectAll()
    .where("application_id", "=", applicationId)
    .orderBy("audience")
    .execute();
}
