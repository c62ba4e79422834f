import { type Executor, type Param, prepared } from "../../storage/storage.ts";
import { conditions, type UserCondition } from "../../storage/user-condition.ts";

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
 * Tells whether the password still has this version, and keeps it so until the transaction ends. This is a write: after a mere
 * read, PostgreSQL would let a change run at the same time, and the change would miss the session that is being created.
 */
export async function lockPassword(tx: Executor, userId: string, version: number): Promise<boolean> {
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

interface NewHash {
  userId: string;
  tenantId: string;
  hash: string;
  /**
   * Also the version of a first hash, so that no deleted hash had the same version and no sign-in mistakes one for the other.
   */
  now: number;
}

/** Adds the first password of a user. @returns false if the user has one */
export async function addPassword(tx: Executor, { userId, tenantId, hash, now }: NewHash): Promise<boolean> {
  const row = await tx.kysely
    .insertInto("password_credentials")
    .values({ user_id: userId, tenant_id: tenantId, hash, version: now, set_at: now })
    .onConflict((conflict) => conflict.column("user_id").doNothing())
    .returning("user_id")
    .executeTakeFirst();
  return row !== undefined;
}

/** Sets the password, whether or not the user had one. */
export async function putPassword(tx: Executor, { userId, tenantId, hash, now }: NewHash): Promise<void> {
  await tx.kysely
    .insertInto("password_credentials")
    .values({ user_id: userId, tenant_id: tenantId, hash, version: now, set_at: now })
    .onConflict((conflict) =>
      conflict
        .column("user_id")
        .doUpdateSet((eb) => ({ hash, version: eb("password_credentials.version", "+", 1), set_at: now })),
    )
    .execute();
}

/**
 * Replaces the hash of this version of the password only.
 * @returns false if the password has changed meanwhile
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

/** @returns whether there was one */
export async function deletePassword(tx: Executor, userId: string): Promise<boolean> {
  const { numDeletedRows } = await tx.kysely
    .deleteFrom("password_credentials")
    .where("user_id", "=", userId)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

/** Returns the time in ms, or null for a user without a password. */
export async function passwordSetAt(at: Executor, userId: string): Promise<number | null> {
  const row = await at.kysely
    .selectFrom("password_credentials")
    .select("set_at")
    .where("user_id", "=", userId)
    .executeTakeFirst();
  return row?.set_at ?? null;
}

/** Matches users who have a password. */
export const holdsPassword: UserCondition = (userId) => {
  const eb = conditions();
  return eb.exists(
    eb
      .selectFrom("password_credentials")
      .select("password_credentials.user_id")
      .where("password_credentials.user_id", "=", userId),
  );
};
