import { PostgresAdapter, type RawBuilder, type SqlBool, sql } from "kysely";
import type { Database } from "./schema.ts";
import type { Executor } from "./storage.ts";

type Condition = RawBuilder<SqlBool>;

/** The result of one batch: the rows that it deleted or changed, and whether more may be due. */
export interface Batch {
  rows: number;
  more: boolean;
}

/** Columns that identify a row of each table with retention by batches. */
const KEYS = {
  account_devices: ["user_id", "digest"],
  former_emails: ["user_id", "canonical"],
  api_keys: ["id"],
  audit_entries: ["seq"],
  audit_floods: ["key"],
  client_secrets: ["id"],
  flows: ["id"],
  idempotency_records: ["digest"],
  outbox_mails: ["id"],
  rate_limits: ["key"],
  revocations: ["tenant_id", "seq"],
  sessions: ["id"],
  signing_keys: ["id"],
  totp_factors: ["user_id"],
  trusted_devices: ["id"],
} as const satisfies Partial<Record<keyof Database, readonly string[]>>;

/**
 * Returns a condition that at most `limit` rows of the table meet. It states the condition twice: PostgreSQL checks the outer
 * one again for a row that another transaction has changed meanwhile, and a renewed row is then kept.
 *
 * On PostgreSQL the rows are found by their place in the file. With `IN (SELECT …)` its planner compares every row with every
 * picked one as long as it has no statistics: a batch of 1,000 rows then takes seconds.
 */
export function someRows(tx: Executor, table: keyof typeof KEYS, condition: Condition, limit: number): Condition {
  const from = (columns: RawBuilder<unknown>) =>
    sql`SELECT ${columns} FROM ${sql.table(table)} WHERE ${condition} LIMIT ${limit}`;
  if (tx.kysely.getExecutor().adapter instanceof PostgresAdapter) {
    return sql<SqlBool>`ctid = ANY(ARRAY(${from(sql`ctid`)})) AND (${condition})`;
  }
  const columns = sql.join(KEYS[table].map((column) => sql.ref(column)));
  return sql<SqlBool>`(${columns}) IN (${from(columns)}) AND (${condition})`;
}

/** Deletes at most `limit` rows that meet the condition. An index must find them. */
export async function deleteSome(
  tx: Executor,
  table: keyof typeof KEYS,
  condition: Condition,
  limit: number,
): Promise<Batch> {
  const { numAffectedRows } =
    await sql`DELETE FROM ${sql.table(table)} WHERE ${someRows(tx, table, condition, limit)}`.execute(tx.kysely);
  return batchOf(numAffectedRows, limit);
}

/** Counts the rows of a statement that {@link someRows} has limited. */
export function batchOf(affected: bigint | undefined, limit: number): Batch {
  const rows = Number(affected ?? 0n);
  return { rows, more: rows >= limit };
}
