import { type Executor, type Param, prepared } from "../../storage/storage.ts";

const byPublic = prepared((db, p: Param<{ key_id: string; subject: string }>) =>
  db.selectFrom("public_users").select("user_id").where("key_id", "=", p("key_id")).where("subject", "=", p("subject")),
);

export async function findIdByPublic(at: Executor, keyId: string, subject: string) {
  return (await at.first(byPublic, { key_id: keyId, subject }))?.user_id;
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
