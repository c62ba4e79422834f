import { isEnabled } from "../../identity/users/public.ts";
import type { PasskeysTable } from "../../storage/schema-people.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";
import { conditions, type UserCondition } from "../../storage/user-condition.ts";

const byCredential = prepared((db, p: Param<{ tenant_id: string; credential_id: string }>) =>
  db
    .selectFrom("passkeys")
    .selectAll()
    .where("tenant_id", "=", p("tenant_id"))
    .where("credential_id", "=", p("credential_id"))
    .where((eb) => isEnabled(eb.ref("passkeys.user_id"))),
);

/** Returns the passkey with this credential id, if its user may sign in at all. */
export const findByCredential = (at: Executor, tenantId: string, credentialId: string) =>
  at.first(byCredential, { tenant_id: tenantId, credential_id: credentialId });

const anyOfUser = prepared((db, p: Param<{ user_id: string }>) =>
  db.selectFrom("passkeys").select("id").where("user_id", "=", p("user_id")).limit(1),
);
export const hasPasskey = async (at: Executor, userId: string): Promise<boolean> =>
  (await at.first(anyOfUser, { user_id: userId })) !== undefined;

const allOfUser = prepared((db, p: Param<{ user_id: string }>) =>
  db.selectFrom("passkeys").selectAll().where("user_id", "=", p("user_id")).orderBy("id"),
);
/** Returns all passkeys of a user. There are only a few. */
export const passkeysOf = (at: Executor, userId: string): Promise<PasskeysTable[]> =>
  at.all(allOfUser, { user_id: userId });

type Page = { user_id: string; after: string; limit: number };
const page = prepared((db, p: Param<Page>) =>
  db
    .selectFrom("passkeys")
    .selectAll()
    .where("user_id", "=", p("user_id"))
    .where("id", ">", p("after"))
    .orderBy("id")
    .limit(p("limit")),
);
/** Returns a user's passkeys after `after`, in the order of their ids. */
export const pageOfPasskeys = (at: Executor, params: Page) => at.all(page, params);

/** @returns false if any user of the tenant has registered the credential already */
export async function insertPasskey(tx: Executor, row: PasskeysTable): Promise<boolean> {
  const made = await tx.kysely
    .insertInto("passkeys")
    .values(row)
    .onConflict((conflict) => conflict.columns(["tenant_id", "credential_id"]).doNothing())
    .returning("id")
    .executeTakeFirst();
  return made !== undefined;
}

type Use = { id: string; user_id: string; counter: number; is_backed_up: 0 | 1; now: number };
const use = prepared((db, p: Param<Use>) =>
  db
    .updateTable("passkeys")
    .set({ counter: p("counter"), is_backed_up: p("is_backed_up"), last_used_at: p("now") })
    .where("id", "=", p("id"))
    .where("user_id", "=", p("user_id"))
    // An authenticator that counts never repeats a count. An authenticator that does not count always says 0.
    .where((eb) =>
      eb.or([eb("counter", "<", p("counter")), eb.and([eb("counter", "=", 0), eb("counter", "=", p("counter"))])]),
    )
    .returning("id"),
);

/**
 * Records a use and locks the row until the transaction ends. A concurrent removal of the passkey or its user comes before this
 * sign-in, or sees its session. @returns false if the passkey is gone, or its counter has not increased
 */
export const touchPasskey = async (tx: Executor, params: Use): Promise<boolean> =>
  (await tx.first(use, params)) !== undefined;

export async function renamePasskey(tx: Executor, userId: string, id: string, name: string) {
  return tx.kysely
    .updateTable("passkeys")
    .set({ name })
    .where("id", "=", id)
    .where("user_id", "=", userId)
    .returningAll()
    .executeTakeFirst();
}

export async function deletePasskey(tx: Executor, userId: string, id: string) {
  return tx.kysely
    .deleteFrom("passkeys")
    .where("id", "=", id)
    .where("user_id", "=", userId)
    .returningAll()
    .executeTakeFirst();
}

/** @param since in ms @returns whether there were any */
export async function deletePasskeysOf(tx: Executor, userId: string, since: number): Promise<boolean> {
  const { numDeletedRows } = await tx.kysely
    .deleteFrom("passkeys")
    .where("user_id", "=", userId)
    .where("created_at", ">=", since)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

/** Matches users who have a passkey. */
export const holdsPasskey: UserCondition = (userId) => {
  const eb = conditions();
  return eb.exists(eb.selectFrom("passkeys").select("passkeys.user_id").where("passkeys.user_id", "=", userId));
};
