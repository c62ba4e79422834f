import type { Kysely } from "kysely";
import type { Database } from "../../../storage/schema.ts";
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

/** Proves an address of this user. @returns whether it was unproven until now */
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

/** An address of an account, wherever it is looked up by. */
export interface AddressRef {
  userId: string;
  emailId: string;
}

/** Addresses, each with what decides on acts by a mail to it. */
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

/** The account that has an address, whether or not a mail to it may act. */
export const findAddressOwner = async (at: Executor, tenantId: string, canonical: string) =>
  withCount(await at.first(addressByCanonical, { tenant_id: tenantId, canonical }));

/** An address as long as it is this user's. */
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
 * Whether the address is still this user's, and proven, and stays so until the transaction ends: a mail may outlive that. A
 * write, because a mere read on PostgreSQL would let a removal run beside it, which would then miss the session.
 */
export const lockProvenAddress = async (tx: Executor, { userId, emailId }: AddressRef) =>
  (await tx.first(lockProven, { id: emailId, user_id: userId })) !== undefined;

const proven = prepared((db, p: Param<{ user_id: string }>) =>
  db
    .selectFrom("user_emails")
    .select("address")
    .where("user_id", "=", p("user_id"))
    .where("verified_at", "is not", null)
    .orderBy("is_primary", "desc")
    .orderBy("id")
    .limit(1),
);
/** A proven address of a user, the primary one where that is proven. */
export const findProvenAddress = (at: Executor, userId: string) => at.first(proven, { user_id: userId });

const provenSince = prepared((db, p: Param<{ user_id: string; since: number }>) =>
  db
    .selectFrom("user_emails")
    .select("id")
    .where("user_id", "=", p("user_id"))
    .where("verified_at", ">=", p("since"))
    .limit(1),
);
/** Whether any address of a user was proven at that time (ms) or later. */
export const isAnyProvenSince = async (at: Executor, userId: string, since: number) =>
  (await at.first(provenSince, { user_id: userId, since })) !== undefined;

/** Whether a user has proven an address. */
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

/** A user's addresses in the order of their ids. */
export async function emailsOf(at: Executor, userId: string, limit: number) {
  return at.kysely
    .selectFrom("user_emails")
    .select(["id", "address", "is_primary", "verified_at", "created_at"])
    .where("user_id", "=", userId)
    .orderBy("id")
    .limit(limit)
    .execute();
}
