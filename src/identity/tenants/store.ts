import type { TenantsTable } from "../../storage/schema.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";

const tenantById = prepared((db, p: Param<{ id: string }>) =>
  db.selectFrom("tenants").selectAll().where("id", "=", p("id")),
);
const tenantBySlug = prepared((db, p: Param<{ slug: string }>) =>
  db.selectFrom("tenants").selectAll().where("slug", "=", p("slug")),
);
export const findTenant = (at: Executor, id: string) => at.first(tenantById, { id });
export const findTenantBySlug = (at: Executor, slug: string) => at.first(tenantBySlug, { slug });

export async function insertTenant(tx: Executor, row: TenantsTable): Promise<void> {
  await tx.kysely.insertInto("tenants").values(row).execute();
}

export async function updateTenant(tx: Executor, id: string, changes: Partial<TenantsTable>) {
  return tx.kysely.updateTable("tenants").set(changes).where("id", "=", id).returningAll().executeTakeFirst();
}

export async function setDefaultApplication(tx: Executor, tenantId: string, applicationId: string, now: number) {
  await tx.kysely
    .updateTable("tenants")
    .set({ default_application_id: applicationId, updated_at: now })
    .where("id", "=", tenantId)
    .execute();
}

export async function listTenants(at: Executor): Promise<TenantsTable[]> {
  return at.kysely.selectFrom("tenants").selectAll().orderBy("id").execute();
}
