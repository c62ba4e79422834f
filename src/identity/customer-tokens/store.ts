import { type Executor, type Param, prepared } from "../../storage/storage.ts";

const byPublic = prepared((db, p: Param<{ key_id: string; subject: string }>) =>
  db.selectFrom("public_users").select("user_id").where("key_id", "=", p("key_id")).where("subject", "=", p("subject")),
);

export async function findIdByPublic(at: Executor, keyId: string, subject: string) {
  return (await at.first(byPublic, { key_id: keyId, subject }))?.user_id;
}

const byUser = prepared((db, p: Param<{ user_id: string }>) =>
  db.selectFrom("public_users").select("user_id").where("user_id", "=", p("user_id")),
);

/** Returns whether this is a user of the public issuer. */
export async function isPublicUser(at: Executor, userId: string): Promise<boolean> {
  return (await at.first(byUser, { user_id: userId })) !== undefined;
}

export async function insertPublicUser(
  tx: Executor,
  row: { keyId: string; subject: string; tenantId: string; userId: string; now: number },
): Promise<void> {
  await tx.kysely
    .insertInto("public_users")
    .values({
      key_id: row.keyId,
      subject: row.subject,
      tenant_id: row.tenantId,
      user_id: row.userId,
      created_at: row.now,
    })
    .execute();
}
