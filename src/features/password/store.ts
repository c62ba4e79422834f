import { type Executor, type Param, prepared } from "../../storage/storage.ts";

const byEmail = prepared((db, p: Param<{ tenant_id: string; canonical: string }>) =>
  db
    .selectFrom("user_emails")
    .innerJoin("users", "users.id", "user_emails.user_id")
    .leftJoin("password_credentials", "password_credentials.user_id", "user_emails.user_id")
    .select([
      "users.id as user_id",
      "users.disabled_at",
      "users.deleted_at",
      "password_credentials.hash",
      "password_credentials.version",
    ])
    .where("user_emails.tenant_id", "=", p("tenant_id"))
    .where("user_emails.canonical", "=", p("canonical")),
);

/** The account of an address, with its password's hash where it has one. */
export const findByEmail = (at: Executor, tenantId: string, canonical: string) =>
  at.first(byEmail, { tenant_id: tenantId, canonical });

const byUser = prepared((db, p: Param<{ user_id: string }>) =>
  db.selectFrom("password_credentials").select(["hash", "version"]).where("user_id", "=", p("user_id")),
);
export const findPassword = (at: Executor, userId: string) => at.first(byUser, { user_id: userId });

const confirmVersion = prepared((db, p: Param<{ user_id: string; version: number }>) =>
  db
    .updateTable("password_credentials")
    .set({ version: p("version") })
    .where("user_id", "=", p("user_id"))
    .where("version", "=", p("version"))
    .returning("version"),
);

/**
 * Whether the password is still of this version, and stays so until the transaction ends: a write, because a mere read on
 * PostgreSQL would let a change run beside it, which would then miss the session that is being made.
 */
export async function holdPassword(tx: Executor, userId: string, version: number): Promise<boolean> {
  return (await tx.first(confirmVersion, { user_id: userId, version })) !== undefined;
}

export async function insertPassword(
  tx: Executor,
  row: { userId: string; tenantId: string; hash: string; now: number },
): Promise<void> {
  await tx.kysely
    .insertInto("password_credentials")
    .values({ user_id: row.userId, tenant_id: row.tenantId, hash: row.hash, version: 1, set_at: row.now })
    .execute();
}

/**
 * Replaces the hash of one version of the password, and no other.
 * @returns false when the password has changed meanwhile
 */
export async function replacePassword(
  tx: Executor,
  change: { userId: string; version: number; hash: string; newVersion: number; now: number },
): Promise<boolean> {
  const row = await tx.kysely
    .updateTable("password_credentials")
    .set({ hash: change.hash, version: change.newVersion, set_at: change.now })
    .where("user_id", "=", change.userId)
    .where("version", "=", change.version)
    .returning("version")
    .executeTakeFirst();
  return row !== undefined;
}

export async function deletePassword(tx: Executor, userId: string): Promise<void> {
  await tx.kysely.deleteFrom("password_credentials").where("user_id", "=", userId).execute();
}
