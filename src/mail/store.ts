import { type SqlBool, sql } from "kysely";
import { DAY } from "../core/clock.ts";
import type { MailTemplatesTable, OutboxMailsTable } from "../storage/schema-people.ts";
import { type Batch, batchOf, deleteSome, someRows } from "../storage/some-rows.ts";
import { type Executor, type Param, prepared } from "../storage/storage.ts";

/** Milliseconds for which sent mails are kept. */
const SENT_KEPT = 7 * DAY;
const DEAD_KEPT = 30 * DAY;

type NewRow = Pick<
  OutboxMailsTable,
  "id" | "tenant_id" | "user_id" | "template" | "sealed" | "is_void" | "created_at" | "next_attempt_at" | "expires_at"
>;

/** Inserts a mail. A watcher starts to send it as soon as the write is durable. */
export const insertMail = prepared((db, p: Param<{ [K in keyof NewRow]: NewRow[K] }>) =>
  db.insertInto("outbox_mails").values({
    id: p("id"),
    tenant_id: p("tenant_id"),
    user_id: p("user_id"),
    template: p("template"),
    sealed: p("sealed"),
    is_void: p("is_void"),
    attempts: 0,
    created_at: p("created_at"),
    next_attempt_at: p("next_attempt_at"),
    expires_at: p("expires_at"),
    sent_at: null,
    dead_at: null,
    last_error: null,
  }),
);

const template = prepared((db, p: Param<{ tenant_id: string; name: string; language: string }>) =>
  db
    .selectFrom("mail_templates")
    .select(["subject", "body"])
    .where("tenant_id", "=", p("tenant_id"))
    .where("name", "=", p("name"))
    .where("language", "=", p("language")),
);
export const findTemplate = (at: Executor, tenantId: string, name: string, language: string) =>
  at.first(template, { tenant_id: tenantId, name, language });

export async function putTemplate(tx: Executor, row: MailTemplatesTable): Promise<void> {
  await tx.kysely
    .insertInto("mail_templates")
    .values(row)
    .onConflict((conflict) =>
      conflict
        .columns(["tenant_id", "name", "language"])
        .doUpdateSet({ subject: row.subject, body: row.body, updated_at: row.updated_at }),
    )
    .execute();
}

/** Removes a tenant's own words. @returns whether it had any */
export async function deleteTemplate(tx: Executor, tenantId: string, name: string, language: string): Promise<boolean> {
  const deleted = await tx.kysely
    .deleteFrom("mail_templates")
    .where("tenant_id", "=", tenantId)
    .where("name", "=", name)
    .where("language", "=", language)
    .returning("name")
    .executeTakeFirst();
  return deleted !== undefined;
}

export async function listTemplates(at: Executor, tenantId: string): Promise<MailTemplatesTable[]> {
  return at.kysely.selectFrom("mail_templates").selectAll().where("tenant_id", "=", tenantId).execute();
}

/** Returns due mails. Mails that never failed come first, so that a code for a waiting user never queues behind retries. */
export async function dueMails(at: Executor, now: number, limit: number): Promise<OutboxMailsTable[]> {
  return at.kysely
    .selectFrom("outbox_mails")
    .selectAll()
    .where("next_attempt_at", "<=", now)
    .orderBy("attempts")
    .orderBy("next_attempt_at")
    .orderBy("id")
    .limit(limit)
    .execute();
}

/** Claims a mail until `until`. Only one node succeeds. @returns the claimed row, or undefined for the other nodes */
export async function claimMail(
  tx: Executor,
  row: OutboxMailsTable,
  until: number,
): Promise<OutboxMailsTable | undefined> {
  return tx.kysely
    .updateTable("outbox_mails")
    .set({ next_attempt_at: until, attempts: row.attempts + 1 })
    .where("id", "=", row.id)
    .where("next_attempt_at", "=", row.next_attempt_at)
    .where("attempts", "=", row.attempts)
    .returningAll()
    .executeTakeFirst();
}

/** Marks a mail as sent, even if another node has claimed it meanwhile. */
export async function markSent(tx: Executor, id: string, now: number): Promise<void> {
  await tx.kysely
    .updateTable("outbox_mails")
    .set({ sealed: null, next_attempt_at: null, sent_at: now, dead_at: null, last_error: null })
    .where("id", "=", id)
    .execute();
}

type Outcome = Pick<OutboxMailsTable, "next_attempt_at" | "dead_at" | "last_error">;

/** Records a failed attempt, unless another node has claimed the mail meanwhile and knows better. */
export async function settleMail(tx: Executor, claimed: OutboxMailsTable, outcome: Outcome): Promise<void> {
  await tx.kysely
    .updateTable("outbox_mails")
    .set(outcome)
    .where("id", "=", claimed.id)
    .where("attempts", "=", claimed.attempts)
    .where("next_attempt_at", "=", claimed.next_attempt_at)
    .execute();
}

/** Counts the waiting mails. */
export async function countWaiting(at: Executor): Promise<number> {
  const row = await at.kysely
    .selectFrom("outbox_mails")
    .select((eb) => eb.fn.countAll().as("count"))
    .where("next_attempt_at", "is not", null)
    .where("is_void", "=", 0)
    .executeTakeFirst();
  return Number(row?.count ?? 0);
}

/** Returns waiting and failed mails, newest first. */
export async function openMails(at: Executor, state: "dead" | "all", limit: number): Promise<OutboxMailsTable[]> {
  const query = at.kysely.selectFrom("outbox_mails").selectAll().where("is_void", "=", 0).orderBy("id", "desc");
  const open =
    state === "dead"
      ? query.where("dead_at", "is not", null)
      : query.where((eb) => eb.or([eb("dead_at", "is not", null), eb("next_attempt_at", "is not", null)]));
  return open.limit(limit).execute();
}

export async function findMail(at: Executor, id: string): Promise<OutboxMailsTable | undefined> {
  return at.kysely
    .selectFrom("outbox_mails")
    .selectAll()
    .where("id", "=", id)
    .where("is_void", "=", 0)
    .executeTakeFirst();
}

/**
 * Makes failed mails due again, except expired ones.
 * @param id null for every failed mail @returns the ids of the revived mails
 */
export async function reviveMails(tx: Executor, now: number, id: string | null): Promise<string[]> {
  const query = tx.kysely
    .updateTable("outbox_mails")
    .set({ next_attempt_at: now, dead_at: null })
    .where("dead_at", "is not", null)
    .where("sealed", "is not", null)
    .where("expires_at", ">", now)
    .returning("id");
  return (await (id === null ? query : query.where("id", "=", id)).execute()).map((row) => row.id);
}

/** Deletes the unsent mails of a deleted user. */
export async function deleteMailsOf(tx: Executor, userId: string): Promise<void> {
  await tx.kysely.deleteFrom("outbox_mails").where("user_id", "=", userId).execute();
}

/** Deletes expired mails that have no recipient. */
export function purgeVoidMails(tx: Executor, now: number, limit: number): Promise<Batch> {
  return deleteSome(
    tx,
    "outbox_mails",
    sql`next_attempt_at IS NOT NULL AND expires_at <= ${now} AND is_void = 1`,
    limit,
  );
}

/** Gives up expired mails. They are never sent, so their links need not be kept. */
export async function expireMails(tx: Executor, now: number, limit: number): Promise<Batch> {
  const expired = sql<SqlBool>`next_attempt_at IS NOT NULL AND expires_at <= ${now} AND is_void = 0`;
  const { numUpdatedRows } = await tx.kysely
    .updateTable("outbox_mails")
    .set((eb) => ({
      next_attempt_at: null,
      dead_at: now,
      sealed: null,
      last_error: eb.fn.coalesce("last_error", eb.val("expired before it could be sent")),
    }))
    .where(someRows(tx, "outbox_mails", expired, limit))
    .executeTakeFirstOrThrow();
  return batchOf(numUpdatedRows, limit);
}

/** Clears the contents of dead mails that have expired. */
export async function clearDeadMails(tx: Executor, now: number, limit: number): Promise<Batch> {
  const readable = sql<SqlBool>`dead_at IS NOT NULL AND expires_at <= ${now} AND sealed IS NOT NULL`;
  const { numUpdatedRows } = await tx.kysely
    .updateTable("outbox_mails")
    .set({ sealed: null })
    .where(someRows(tx, "outbox_mails", readable, limit))
    .executeTakeFirstOrThrow();
  return batchOf(numUpdatedRows, limit);
}

export function purgeSentMails(tx: Executor, now: number, limit: number): Promise<Batch> {
  const before = now - SENT_KEPT;
  return deleteSome(
    tx,
    "outbox_mails",
    sql`created_at < ${before} AND next_attempt_at IS NULL AND dead_at IS NULL`,
    limit,
  );
}

export function purgeDeadMails(tx: Executor, now: number, limit: number): Promise<Batch> {
  return deleteSome(tx, "outbox_mails", sql`dead_at < ${now - DEAD_KEPT}`, limit);
}

/** Returns the mails to a user, newest first, without their content, which is not kept. */
export async function mailsOf(at: Executor, userId: string, limit: number) {
  return at.kysely
    .selectFrom("outbox_mails")
    .select(["template", "created_at", "sent_at"])
    .where("user_id", "=", userId)
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
}
