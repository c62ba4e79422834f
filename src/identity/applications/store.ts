import type { ApplicationsTable } from "../../storage/schema.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";

const applicationById = prepared((db, p: Param<{ id: string }>) =>
  db.selectFrom("applications").selectAll().where("id", "=", p("id")),
);
export const findApplication = (at: Executor, id: string) => at.first(applicationById, { id });

/** Returns every origin that an enabled application allows, of one tenant or of all. */
export async function allowedOrigins(at: Executor, tenantId: string | null): Promise<string[]> {
  const query = at.kysely.selectFrom("applications").select("origins").where("disabled_at", "is", null);
  const rows = await (tenantId === null ? query : query.where("tenant_id", "=", tenantId)).execute();
  return rows.flatMap((row) => JSON.parse(row.origins) as string[]);
}

export async function insertApplication(tx: Executor, row: ApplicationsTable): Promise<void> {
  await tx.kysely.insertInto("applications").values(row).execute();
}

export async function updateApplication(tx: Executor, id: string, changes: Partial<ApplicationsTable>) {
  return tx.kysely.updateTable("applications").set(changes).where("id", "=", id).returningAll().executeTakeFirst();
}

export async function listApplications(at: Executor, tenantId: string | null): Promise<ApplicationsTable[]> {
  const query = at.kysely.selectFrom("applications").selectAll().orderBy("id");
  return (tenantId === null ? query : query.where("tenant_id", "=", tenantId)).execute();
}

/** Returns the longest access-token lifetime of a tenant's applications, in seconds. */
export async function longestAccessTtl(at: Executor, tenantId: string): Promise<number> {
  const row = await at.kysely
    .selectFrom("applications")
    .select((eb) => eb.fn.max("access_token_ttl").as("longest_at"))
    .where("tenant_id", "=", tenantId)
    .executeTakeFirst();
  return Number(row?.longest_at ?? 0);
}
