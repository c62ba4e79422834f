import { type Executor, type Param, prepared } from "../../storage/storage.ts";

const page = prepared((db, p: Param<{ user_id: string; after: string; limit: number }>) =>
  db
    .selectFrom("user_emails")
    .selectAll()
    .where("user_id", "=", p("user_id"))
    .where("id", ">", p("after"))
    .orderBy("id")
    .limit(p("limit")),
);

/** A user's addresses in the order of their ids, after `after`. */
export const pageOfEmails = (at: Executor, userId: string, after: string, limit: number) =>
  at.all(page, { user_id: userId, after, limit });

const byCanonical = prepared((db, p: Param<{ tenant_id: string; canonical: string }>) =>
  db
    .selectFrom("user_emails")
    .selectAll()
    .where("tenant_id", "=", p("tenant_id"))
    .where("canonical", "=", p("canonical")),
);
export const findByCanonical = (at: Executor, tenantId: string, canonical: string) =>
  at.first(byCanonical, { tenant_id: tenantId, canonical });

const byId = prepared((db, p: Param<{ id: string; user_id: string }>) =>
  db.selectFrom("user_emails").selectAll().where("id", "=", p("id")).where("user_id", "=", p("user_id")),
);
/** One of this user's own. */
export const findEmail = (at: Executor, userId: string, id: string) => at.first(byId, { id, user_id: userId });

const primary = prepared((db, p: Param<{ user_id: string }>) =>
  db.selectFrom("user_emails").selectAll().where("user_id", "=", p("user_id")).where("is_primary", "=", 1),
);
export const findPrimary = (at: Executor, userId: string) => at.first(primary, { user_id: userId });

export async function countEmails(at: Executor, userId: string): Promise<number> {
  const row = await at.kysely
    .selectFrom("user_emails")
    .select((eb) => eb.fn.countAll().as("count"))
    .where("user_id", "=", userId)
    .executeTakeFirst();
  return Number(row?.count ?? 0);
}

export async function verifyEmail(tx: Executor, id: string, now: number): Promise<void> {
  await tx.kysely
    .updateTable("user_emails")
    .set({ verified_at: now })
    .where("id", "=", id)
    .where("verified_at", "is", null)
    .execute();
}

/** Takes the place of the primary one, which stays as one among the others. The user's row is held. */
export async function makePrimary(tx: Executor, userId: string, id: string): Promise<void> {
  await tx.kysely
    .updateTable("user_emails")
    .set({ is_primary: 0 })
    .where("user_id", "=", userId)
    .where("is_primary", "=", 1)
    .execute();
  await tx.kysely
    .updateTable("user_emails")
    .set({ is_primary: 1 })
    .where("id", "=", id)
    .where("user_id", "=", userId)
    .execute();
}

export async function deleteEmail(tx: Executor, id: string): Promise<void> {
  await tx.kysely.deleteFrom("user_emails").where("id", "=", id).execute();
}

/** All but the primary one. */
export async function deleteOtherEmails(tx: Executor, userId: string): Promise<void> {
  await tx.kysely.deleteFrom("user_emails").where("user_id", "=", userId).where("is_primary", "=", 0).execute();
}

/** All of a user's but one. */
export async function deleteEmailsBut(tx: Executor, userId: string, canonical: string): Promise<void> {
  await tx.kysely.deleteFrom("user_emails").where("user_id", "=", userId).where("canonical", "!=", canonical).execute();
}

/**
 * What somebody may have set up who changed the address: the password, whenever it was set, because it is what they came in
 * by or have changed; second factors and passkeys that were added since. Those from before stay: the mailbox alone is no way
 * around them.
 */
export async function deleteCredentialsSince(tx: Executor, userId: string, since: number): Promise<void> {
  await tx.kysely.deleteFrom("password_credentials").where("user_id", "=", userId).execute();
  for (const table of ["passkeys", "recovery_codes"] as const) {
    await tx.kysely.deleteFrom(table).where("user_id", "=", userId).where("created_at", ">=", since).execute();
  }
  await tx.kysely
    .deleteFrom("totp_factors")
    .where("user_id", "=", userId)
    // One that took the place of another keeps its row.
    .where((eb) => eb.or([eb("created_at", ">=", since), eb("enabled_at", ">=", since)]))
    .execute();
}
