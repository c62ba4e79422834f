import { sql } from "kysely";
import { MINUTE, SECOND } from "../../core/clock.ts";
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

const livesOfApplication = prepared((db, p: Param<{ id: string }>) =>
  db.selectFrom("applications").select(["access_token_ttl", "tokens_until_at"]).where("id", "=", p("id")),
);
const livesOfTenant = prepared((db, p: Param<{ tenant_id: string }>) =>
  db.selectFrom("applications").select(["access_token_ttl", "tokens_until_at"]).where("tenant_id", "=", p("tenant_id")),
);

/**
 * Returns when the last access token that is issued until `now` will have expired, in ms: by the lifetime of today, and by every
 * longer lifetime that an application had before. Of one application, or of all of a tenant.
 */
export async function tokensUntil(at: Executor, now: number, tenantId: string, applicationId: string | null) {
  const lives =
    applicationId === null
      ? await at.all(livesOfTenant, { tenant_id: tenantId })
      : await at.all(livesOfApplication, { id: applicationId });
  return lives.reduce(
    (until, life) => Math.max(until, life.tokens_until_at, now + life.access_token_ttl * SECOND),
    now,
  );
}

/**
 * Notes until when tokens of today's lifetime may live, before a change of it. It never moves back. The database computes it from
 * the row, so that no concurrent change is missed.
 */
export async function keepTokenLife(tx: Executor, id: string, now: number): Promise<void> {
  const until = sql<number>`${now + MINUTE} + access_token_ttl * 1000`;
  await tx.kysely
    .updateTable("applications")
    .set({ tokens_until_at: sql<number>`CASE WHEN tokens_until_at > ${until} THEN tokens_until_at ELSE ${until} END` })
    .where("id", "=", id)
    .execute();
}
