import { type Executor, type Param, prepared } from "../../storage/storage.ts";

const byAddress = prepared((db, p: Param<{ tenant_id: string; canonical: string }>) =>
  db
    .selectFrom("user_emails")
    .innerJoin("users", "users.id", "user_emails.user_id")
    .select((eb) => [
      "users.id as user_id",
      "user_emails.id as email_id",
      "user_emails.address",
      "user_emails.verified_at",
      "users.disabled_at",
      "users.deleted_at",
      eb
        .selectFrom("user_emails as other")
        .select((inner) => inner.fn.countAll().as("count"))
        .whereRef("other.user_id", "=", "user_emails.user_id")
        .where("other.verified_at", "is not", null)
        .as("proven"),
    ])
    .where("user_emails.tenant_id", "=", p("tenant_id"))
    .where("user_emails.canonical", "=", p("canonical")),
);

export interface AddressOwner {
  userId: string;
  emailId: string;
  /** As it is stored: where mail goes to. */
  address: string;
}

/**
 * Whom a mail to this address may sign in: nobody who is disabled or deleted, and nobody by an address that is unproven
 * while the account has a proven one. Such an address may be a stranger's, and must not open the account of who proved theirs.
 */
export async function findOwner(at: Executor, tenantId: string, canonical: string): Promise<AddressOwner | undefined> {
  const row = await at.first(byAddress, { tenant_id: tenantId, canonical });
  if (!row || row.disabled_at !== null || row.deleted_at !== null) return undefined;
  if (row.verified_at === null && Number(row.proven) > 0) return undefined;
  return { userId: row.user_id, emailId: row.email_id, address: row.address };
}

type Address = { id: string; user_id: string };
const prove = prepared((db, p: Param<Address & { now: number }>) =>
  db
    .updateTable("user_emails")
    .set({ verified_at: p("now") })
    .where("id", "=", p("id"))
    .where("user_id", "=", p("user_id"))
    .where("verified_at", "is", null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom("user_emails as other")
            .select("other.id")
            .where("other.user_id", "=", p("user_id"))
            .where("other.verified_at", "is not", null),
        ),
      ),
    )
    .returning("id"),
);
/** @returns whether it was unproven until now */
export const proveAddress = async (tx: Executor, address: Address, now: number) =>
  (await tx.first(prove, { ...address, now })) !== undefined;

const hold = prepared((db, p: Param<Address>) =>
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
export const lockAddress = async (tx: Executor, address: Address) => (await tx.first(hold, address)) !== undefined;

const byId = prepared((db, p: Param<Address>) =>
  db.selectFrom("user_emails").select("verified_at").where("id", "=", p("id")).where("user_id", "=", p("user_id")),
);
export const findAddress = (at: Executor, address: Address) => at.first(byId, address);

const primary = prepared((db, p: Param<{ user_id: string }>) =>
  db.selectFrom("user_emails").select("address").where("user_id", "=", p("user_id")).where("is_primary", "=", 1),
);
export const primaryAddress = async (at: Executor, userId: string): Promise<string | null> =>
  (await at.first(primary, { user_id: userId }))?.address ?? null;
