import { type Kysely, sql } from "kysely";
import type { Database } from "../../../storage/schema.ts";
import type { FormerEmailsTable } from "../../../storage/schema-people.ts";
import { type Batch, deleteSome } from "../../../storage/some-rows.ts";
import { type Executor, type Param, prepared } from "../../../storage/storage.ts";
import { conditions, type UserCondition } from "../../../storage/user-condition.ts";

const page = prepared((db, p: Param<{ user_id: string; after: string; limit: number }>) =>
  db
    .selectFrom("user_emails")
    .selectAll()
    .where("user_id", "=", p("user_id"))
    .where("id", ">", p("after"))
    .orderBy("id")
    .limit(p("limit")),
);

/** Returns a user's addresses ordered by id, starting after `after`. */
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
/** Returns an address only if it belongs to this user. */
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

/** Proves an address of this user. @returns whether it was unproven before */
export async function verifyEmail(tx: Executor, userId: string, id: string, now: number): Promise<boolean> {
  const row = await tx.kysely
    .updateTable("user_emails")
    .set({ verified_at: now })
    .where("id", "=", id)
    .where("user_id", "=", userId)
    .where("verified_at", "is", null)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

/** Makes an address primary. The old primary address stays as an ordinary one. The caller holds the lock on the user's row. */
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

/** Deletes all addresses of a user except the primary one. @returns whether there were any */
export async function deleteOtherEmails(tx: Executor, userId: string): Promise<boolean> {
  const { numDeletedRows } = await tx.kysely
    .deleteFrom("user_emails")
    .where("user_id", "=", userId)
    .where("is_primary", "=", 0)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

/** Deletes the addresses of a user that were proven after `since` (ms) or never, except one. */
export async function deleteNewerEmails(tx: Executor, userId: string, but: string, since: number): Promise<void> {
  await tx.kysely
    .deleteFrom("user_emails")
    .where("user_id", "=", userId)
    .where("canonical", "!=", but)
    .where((eb) => eb.or([eb("verified_at", "is", null), eb("verified_at", ">", since)]))
    .execute();
}

/** An address and its account. */
export interface AddressRef {
  userId: string;
  emailId: string;
}

/** Selects addresses, each with the facts that decide whether a mail to it may act. */
function addressesWithStanding(db: Kysely<Database>) {
  return db
    .selectFrom("user_emails")
    .innerJoin("users", "users.id", "user_emails.user_id")
    .select((eb) => [
      "users.id as user_id",
      "users.display_name",
      "users.disabled_at",
      "users.deleted_at",
      "user_emails.id as email_id",
      "user_emails.address",
      "user_emails.verified_at",
      eb
        .selectFrom("user_emails as other")
        .select((inner) => inner.fn.countAll().as("count"))
        .whereRef("other.user_id", "=", "user_emails.user_id")
        .where("other.verified_at", "is not", null)
        .as("proven"),
    ]);
}

const addressByCanonical = prepared((db, p: Param<{ tenant_id: string; canonical: string }>) =>
  addressesWithStanding(db)
    .where("user_emails.tenant_id", "=", p("tenant_id"))
    .where("user_emails.canonical", "=", p("canonical")),
);
const addressById = prepared((db, p: Param<{ id: string; user_id: string }>) =>
  addressesWithStanding(db).where("user_emails.id", "=", p("id")).where("user_emails.user_id", "=", p("user_id")),
);

function withCount<Row extends { proven: unknown }>(row: Row | undefined) {
  return row && { ...row, proven: Number(row.proven) };
}

/** Returns the account of an address, whether or not a mail to it may act. */
export const findAddressOwner = async (at: Executor, tenantId: string, canonical: string) =>
  withCount(await at.first(addressByCanonical, { tenant_id: tenantId, canonical }));

/** Returns an address if it still belongs to this user. */
export const findAddressOf = async (at: Executor, { userId, emailId }: AddressRef) =>
  withCount(await at.first(addressById, { id: emailId, user_id: userId }));

const lockProven = prepared((db, p: Param<{ id: string; user_id: string }>) =>
  db
    .updateTable("user_emails")
    .set((eb) => ({ verified_at: eb.ref("verified_at") }))
    .where("id", "=", p("id"))
    .where("user_id", "=", p("user_id"))
    .where("verified_at", "is not", null)
    .returning("id"),
);
/**
 * Returns whether the address is still proven and this user's, and keeps it so until the transaction ends, because a mail may
 * outlive the address. It writes: on PostgreSQL a mere read would let a removal run beside it, and the removal would miss the
 * new session.
 */
export const lockProvenAddress = async (tx: Executor, { userId, emailId }: AddressRef) =>
  (await tx.first(lockProven, { id: emailId, user_id: userId })) !== undefined;

const reachable = prepared((db, p: Param<{ user_id: string }>) =>
  db
    .selectFrom("user_emails")
    .select(["address", "verified_at"])
    .where("user_id", "=", p("user_id"))
    .orderBy((eb) => eb.case().when("verified_at", "is", null).then(1).else(0).end())
    .orderBy("is_primary", "desc")
    .orderBy("id")
    .limit(2),
);
/**
 * Returns the address for a user's notices: a proven one, preferably the primary, else the account's only address. Its owner
 * must hear about an account that a stranger sets up with it. Of several unproven addresses none is chosen.
 */
export async function findNoticeAddress(at: Executor, userId: string): Promise<string | null> {
  const [first, second] = await at.all(reachable, { user_id: userId });
  if (!first || (first.verified_at === null && second)) return null;
  return first.address;
}

/** Returns the oldest proven address of a user. */
export async function findProvenEmail(at: Executor, userId: string) {
  return at.kysely
    .selectFrom("user_emails")
    .select("id")
    .where("user_id", "=", userId)
    .where("verified_at", "is not", null)
    .orderBy("id")
    .limit(1)
    .executeTakeFirst();
}

/** Returns whether a user has an address and none is proven. */
export async function isOnlyUnproven(at: Executor, userId: string): Promise<boolean> {
  const [first] = await at.all(reachable, { user_id: userId });
  return first !== undefined && first.verified_at === null;
}

export async function provenEmailsOf(at: Executor, userId: string) {
  return at.kysely
    .selectFrom("user_emails")
    .select(["address", "canonical", "verified_at"])
    .where("user_id", "=", userId)
    .where("verified_at", "is not", null)
    .orderBy("id")
    .execute();
}

/** Remembers a proven address that its user removes. */
export async function rememberFormerEmail(tx: Executor, row: FormerEmailsTable): Promise<void> {
  await tx.kysely
    .insertInto("former_emails")
    .values(row)
    .onConflict((conflict) => conflict.columns(["user_id", "canonical"]).doUpdateSet({ removed_at: row.removed_at }))
    .execute();
}

/** Returns the addresses that a user removed after `since` (ms). */
export async function formerEmailsOf(at: Executor, userId: string, since: number) {
  return at.kysely
    .selectFrom("former_emails")
    .select(["address", "canonical", "verified_at", "removed_at"])
    .where("user_id", "=", userId)
    .where("removed_at", ">", since)
    .orderBy("canonical")
    .execute();
}

export async function deleteFormerEmails(tx: Executor, userId: string): Promise<void> {
  await tx.kysely.deleteFrom("former_emails").where("user_id", "=", userId).execute();
}

export function purgeFormerEmails(tx: Executor, before: number, limit: number): Promise<Batch> {
  return deleteSome(tx, "former_emails", sql`removed_at < ${before}`, limit);
}

const provenSince = prepared((db, p: Param<{ user_id: string; since: number }>) =>
  db
    .selectFrom("user_emails")
    .select("id")
    .where("user_id", "=", p("user_id"))
    .where("verified_at", ">=", p("since"))
    .limit(1),
);
/** Returns whether any address of a user was proven at `since` (ms) or later. */
export const isAnyProvenSince = async (at: Executor, userId: string, since: number) =>
  (await at.first(provenSince, { user_id: userId, since })) !== undefined;

/** Holds if a user has proven an address. */
export const holdsProvenAddress: UserCondition = (userId) => {
  const eb = conditions();
  return eb.exists(
    eb
      .selectFrom("user_emails")
      .select("user_emails.user_id")
      .where("user_emails.user_id", "=", userId)
      .where("user_emails.verified_at", "is not", null),
  );
};

/** Returns a user's addresses ordered by id. */
export async function emailsOf(at: Executor, userId: string, limit: number) {
  return at.kysely
    .selectFrom("user_emails")
    .select(["id", "address", "is_primary", "verified_at", "created_at"])
    .where("user_id", "=", userId)
    .orderBy("id")
    .limit(limit)
    .execute();
}
