import { sql } from "kysely";
import type { RequestOrigin } from "../../core/caller.ts";
import type { AuditEntriesTable } from "../../storage/schema.ts";
import { type Batch, deleteSome } from "../../storage/some-rows.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";
import type { AuditAction } from "./actions.ts";

/** An entry as `ActIn` makes it. */
export interface AuditEntry {
  tenantId: string | null;
  actor: { kind: AuditEntriesTable["actor_kind"]; id: string | null };
  action: AuditAction;
  target: { kind: string; id: string } | null;
  applicationId: string | null;
  origin: RequestOrigin;
  details: Record<string, unknown> | undefined;
}

type InsertRow = Omit<AuditEntriesTable, "seq" | "chain_mac">;

export const insertEntry = prepared((db, p: Param<{ [K in keyof InsertRow]: InsertRow[K] }>) =>
  db.insertInto("audit_entries").values({
    tenant_id: p("tenant_id"),
    occurred_at: p("occurred_at"),
    actor_kind: p("actor_kind"),
    actor_id: p("actor_id"),
    action: p("action"),
    target_kind: p("target_kind"),
    target_id: p("target_id"),
    application_id: p("application_id"),
    address: p("address"),
    user_agent: p("user_agent"),
    request_id: p("request_id"),
    details: p("details"),
    chain_mac: null,
  } as never),
);

export function appendAudit(tx: Executor, now: number, entry: AuditEntry): void {
  tx.later(insertEntry, {
    tenant_id: entry.tenantId,
    occurred_at: now,
    actor_kind: entry.actor.kind,
    actor_id: entry.actor.id,
    action: entry.action,
    target_kind: entry.target?.kind ?? null,
    target_id: entry.target?.id ?? null,
    application_id: entry.applicationId,
    address: entry.origin.address || null,
    user_agent: entry.origin.userAgent,
    request_id: entry.origin.requestId || null,
    details: entry.details ? JSON.stringify(entry.details) : "{}",
  });
}

const countFlood = prepared((db, p: Param<{ key: string; expires_at: number }>) =>
  db
    .insertInto("audit_floods")
    .values({ key: p("key"), times: 1, expires_at: p("expires_at") })
    .onConflict((conflict) => conflict.column("key").doUpdateSet((eb) => ({ times: eb("audit_floods.times", "+", 1) })))
    .returning("times"),
);

/** Counts one more event of `key` in its window. */
export async function countInWindow(tx: Executor, key: string, expiresAt: number): Promise<number> {
  const row = await tx.first(countFlood, { key, expires_at: expiresAt });
  return row?.times ?? 1;
}

export function purgeAudit(tx: Executor, before: number, limit: number): Promise<Batch> {
  return deleteSome(tx, "audit_entries", sql`occurred_at < ${before}`, limit);
}

export function purgeAuditFloods(tx: Executor, now: number, limit: number): Promise<Batch> {
  return deleteSome(tx, "audit_floods", sql`expires_at < ${now}`, limit);
}

/**
 * Returns the acts of a user and the acts on the account, newest first. It omits refreshes, for which earlier versions wrote
 * entries: the index leaves them out.
 */
export async function auditEntriesOf(at: Executor, userId: string, limit: number) {
  const all = at.kysely.selectFrom("audit_entries").selectAll().orderBy("seq", "desc").limit(limit);
  // The partial indexes match literals only.
  const done = await all
    .where("actor_id", "=", userId)
    .where("actor_kind", "=", sql.lit("user"))
    .where("action", "<>", sql.lit("session.refreshed"))
    .execute();
  const suffered = await all.where("target_id", "=", userId).where("target_kind", "=", sql.lit("user")).execute();
  const seen = new Map([...done, ...suffered].map((entry) => [entry.seq, entry]));
  return [...seen.values()].sort((a, b) => b.seq - a.seq).slice(0, limit);
}

/** Returns the latest time of the newest hundred entries, in ms: several nodes write them. */
export async function newestEntryAt(at: Executor): Promise<number | null> {
  const newest = await at.kysely
    .selectFrom("audit_entries")
    .select("occurred_at")
    .orderBy("seq", "desc")
    .limit(100)
    .execute();
  return newest.length === 0 ? null : Math.max(...newest.map((row) => Number(row.occurred_at)));
}
