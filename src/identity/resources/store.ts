import type { ApiResourcesTable } from "../../storage/schema.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";

export async function insertResource(tx: Executor, row: ApiResourcesTable): Promise<void> {
  await tx.kysely.insertInto("api_resources").values(row).execute();
}

export async function findResource(at: Executor, tenantId: string, id: string): Promise<ApiResourcesTable | undefined> {
  return at.kysely
    .selectFrom("api_resources")
    .selectAll()
    .where("id", "=", id)
    .where("tenant_id", "=", tenantId)
    .executeTakeFirst();
}

/** Returns resources of a tenant ordered by id, starting after `after`. */
export async function pageOfResources(
  at: Executor,
  page: { tenantId: string; after: string; limit: number },
): Promise<ApiResourcesTable[]> {
  return at.kysely
    .selectFrom("api_resources")
    .selectAll()
    .where("tenant_id", "=", page.tenantId)
    .where("id", ">", page.after)
    .orderBy("id")
    .limit(page.limit)
    .execute();
}

export async function updateResource(
  tx: Executor,
  tenantId: string,
  id: string,
  changes: Partial<Pick<ApiResourcesTable, "name" | "scopes" | "updated_at">>,
): Promise<ApiResourcesTable | undefined> {
  return tx.kysely
    .updateTable("api_resources")
    .set(changes)
    .where("id", "=", id)
    .where("tenant_id", "=", tenantId)
    .returningAll()
    .executeTakeFirst();
}

export async function deleteResource(
  tx: Executor,
  tenantId: string,
  id: string,
): Promise<ApiResourcesTable | undefined> {
  return tx.kysely
    .deleteFrom("api_resources")
    .where("id", "=", id)
    .where("tenant_id", "=", tenantId)
    .returningAll()
    .executeTakeFirst();
}

const resourceScopes = prepared((db, p: Param<{ tenant_id: string; audience: string }>) =>
  db
    .selectFrom("api_resources")
    .select("scopes")
    .where("tenant_id", "=", p("tenant_id"))
    .where("audience", "=", p("audience")),
);

/** Returns the scope names of an API resource, or undefined for an audience that the tenant has not registered. */
export async function findResourceScopes(at: Executor, tenantId: string, audience: string) {
  const row = await at.first(resourceScopes, { tenant_id: tenantId, audience });
  return row && (JSON.parse(row.scopes) as { name: string }[]).map(({ name }) => name);
}
