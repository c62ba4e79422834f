import type { MailTemplatesTable, OutboxMailsTable } from "../storage/schema-people.ts";
import { type Executor, type Param, prepared } from "../storage/storage.ts";

type NewRow = Pick<
  OutboxMailsTable,
  "id" | "tenant_id" | "user_id" | "template" | "sealed" | "is_void" | "created_at" | "next_attempt_at" | "expires_at"
>;

/** Watched: the mail goes as soon as the write is durable. */
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

/** Mails that are due, oldest first. */
export async function dueMails(at: Executor, now: number, limit: number): Promise<OutboxMailsTable[]> {
  return at.kysely
    .selectFrom("outbox_mails")
    .selectAll()
    .where("next_attempt_at", "<=", now)
    .orderBy("next_attempt_at")
    .limit(limit)
    .execute();
}

/** Takes one in hand until `until`. Of several nodes one gets it. @returns whether this one did */
export async function claimMail(tx: Executor, row: OutboxMailsTable, until: number): Promise<boolean> {
  const claimed = await tx.kysely
    .updateTable("outbox_mails")
    .set({ next_attempt_at: until, attempts: row.attempts + 1 })
    .where("id", "=", row.id)
    .where("next_attempt_at", "=", row.next_attempt_at)
    .where("attempts", "=", row.attempts)
    .returning("id")
    .executeTakeFirst();
  return claimed !== undefined;
}

type Outcome = Partial<Pick<OutboxMailsTable, "sealed" | "next_attempt_at" | "sent_at" | "dead_at" | "last_error">>;

export async function updateMail(tx: Executor, id: string, outcome: Outcome): Promise<void> {
  await tx.kysely.updateTable("outbox_mails").set(outcome).where("id", "=", id).execute();
}

/** What waits, and what was given up, of all tenants. */
export async function countMails(at: Executor): Promise<{ waiting: number; dead: number }> {
  const waiting = await at.kysely
    .selectFrom("outbox_mails")
    .select((eb) => eb.fn.countAll().as("count"))
    .where("next_attempt_at", "is not", null)
    .executeTakeFirst();
  const dead = await at.kysely
    .selectFrom("outbox_mails")
    .select((eb) => eb.fn.countAll().as("count"))
    .where("dead_at", "is not", null)
    .executeTakeFirst();
  return { waiting: Number(waiting?.count ?? 0), dead: Number(dead?.count ?? 0) };
}

/** A deleted user's mails that have not gone yet go nowhere. */
export async function deleteMailsOf(tx: Executor, userId: string): Promise<void> {
  await tx.kysely.deleteFrom("outbox_mails").where("user_id", "=", userId).execute();
}

export async function purgeMails(tx: Executor, sentBefore: number, deadBefore: number): Promise<void> {
  await tx.kysely
    .deleteFrom("outbox_mails")
    .where("created_at", "<", sentBefore)
    .where("next_attempt_at", "is", null)
    .where("dead_at", "is", null)
    .execute();
  await tx.kysely.deleteFrom("outbox_mails").where("dead_at", "<", deadBefore).execute();
}
