import { type Kysely, PostgresAdapter } from "kysely";
import type { Database, UsersTable } from "../../storage/schema.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";
import { conditions, type UserCondition } from "../../storage/user-condition.ts";
import { NEW_USER, type UserRow } from "./wire.ts";

type ColumnName = "id" | "tenant_id" | "created_at" | "updated_at" | keyof typeof NEW_USER;
type Qualified<Name extends string> = Name extends string ? `users.${Name}` : never;

const NAMES = ["id", "tenant_id", "created_at", "updated_at", ...Object.keys(NEW_USER)] as ColumnName[];

/** Returns the columns of `users` that are read with a user, without `but`. */
export function userColumns<But extends ColumnName = never>(...but: But[]) {
  const left = NAMES.filter((name): name is Exclude<ColumnName, But> => !(but as string[]).includes(name));
  return left.map((name) => `users.${name}` as Qualified<Exclude<ColumnName, But>>);
}

/** Selects users with their primary address. */
function usersWithEmail(db: Kysely<Database>) {
  return db
    .selectFrom("users")
    .leftJoin("user_emails", (join) =>
      join.onRef("user_emails.user_id", "=", "users.id").on("user_emails.is_primary", "=", 1),
    )
    .select(userColumns())
    .select(["user_emails.address as email", "user_emails.verified_at as email_verified_at"]);
}

const userById = prepared((db, p: Param<{ tenant_id: string; id: string }>) =>
  usersWithEmail(db).where("users.id", "=", p("id")).where("users.tenant_id", "=", p("tenant_id")),
);

export const findUser = (at: Executor, tenantId: string, id: string): Promise<UserRow | undefined> =>
  at.first(userById, { tenant_id: tenantId, id });

const heldById = prepared((db, p: Param<{ tenant_id: string; id: string }>) => {
  const query = usersWithEmail(db).where("users.id", "=", p("id")).where("users.tenant_id", "=", p("tenant_id"));
  // SQLite has one writer at a time, and no such words.
  return db.getExecutor().adapter instanceof PostgresAdapter ? query.forNoKeyUpdate("users") : query;
});

/** Reads a user like {@link findUser}, and keeps others from changing the account until the transaction ends. */
export const holdUser = (tx: Executor, tenantId: string, id: string): Promise<UserRow | undefined> =>
  tx.first(heldById, { tenant_id: tenantId, id });

const byExternal = prepared((db, p: Param<{ tenant_id: string; external_id: string }>) =>
  db
    .selectFrom("users")
    .select("id")
    .where("tenant_id", "=", p("tenant_id"))
    .where("external_id", "=", p("external_id")),
);

/** Finds tombstones too: the external id of a deleted user stays taken forever. */
export async function findIdByExternal(at: Executor, tenantId: string, externalId: string) {
  return (await at.first(byExternal, { tenant_id: tenantId, external_id: externalId }))?.id;
}

const enabledById = prepared((db, p: Param<{ id: string }>) =>
  db
    .selectFrom("users")
    .select("id")
    .where("id", "=", p("id"))
    .where("disabled_at", "is", null)
    .where("deleted_at", "is", null),
);
/** Matches users who may sign in at all. */
export const isEnabled: UserCondition = (userId) => {
  const eb = conditions();
  const enabled = eb.selectFrom("users").select("users.id").where("users.id", "=", userId);
  return eb.exists(enabled.where("users.disabled_at", "is", null).where("users.deleted_at", "is", null));
};

/** Returns whether this user may sign in at all. */
export const isEnabledUser = async (at: Executor, id: string): Promise<boolean> =>
  (await at.first(enabledById, { id })) !== undefined;

/** Returns the spelling that a search compares, without differences of case and width. */
export function searchForm(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

/** The columns to write. undefined counts as absent. */
type Given<Name extends keyof UsersTable> = { [K in Name]?: UsersTable[K] | undefined };

function given<T extends object>(columns: T) {
  const entries = Object.entries(columns).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

type NewUser = Pick<UsersTable, "id" | "tenant_id"> & Given<keyof typeof NEW_USER>;

/** Inserts a user. @param row only the columns that differ from an empty user's */
export async function insertUser(tx: Executor, now: number, row: NewUser): Promise<void> {
  const search_name = searchNameOf(row.display_name ?? null);
  await tx.kysely
    .insertInto("users")
    .values({ ...NEW_USER, ...given(row), created_at: now, updated_at: now, search_name })
    .execute();
}

function searchNameOf(name: string | null): string | null {
  return name === null ? null : searchForm(name);
}

/**
 * Locks the row until the transaction ends, so that a change starts from the values that are read now.
 * @returns false if the user does not exist or was deleted
 */
export async function lockUser(tx: Executor, tenantId: string, id: string, now: number): Promise<boolean> {
  const row = await tx.kysely
    .updateTable("users")
    .set({ updated_at: now })
    .where("id", "=", id)
    .where("tenant_id", "=", tenantId)
    .where("deleted_at", "is", null)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

type Changes = Given<Exclude<keyof typeof NEW_USER, "disabled_at" | "deleted_at" | "is_anonymous">>;

export async function updateUser(tx: Executor, id: string, changes: Changes, now: number): Promise<void> {
  const name = changes.display_name;
  await tx.kysely
    .updateTable("users")
    .set({ ...given(changes), ...(name === undefined ? {} : { search_name: searchNameOf(name) }), updated_at: now })
    .where("id", "=", id)
    .execute();
}

/**
 * Ends the anonymity of a user who has proven something. The id stays.
 * @returns whether this call ended it
 */
export async function claimUser(tx: Executor, id: string, now: number): Promise<boolean> {
  const row = await tx.kysely
    .updateTable("users")
    .set({ is_anonymous: 0, updated_at: now })
    .where("id", "=", id)
    .where("is_anonymous", "=", 1)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

const { external_id: _id, disabled_at: _disabled, is_anonymous: _anonymous, ...EMPTIED } = NEW_USER;

/** Reduces the row to a tombstone: id, tenant, external id and times. @returns false when there was no user to delete */
export async function tombstoneUser(tx: Executor, tenantId: string, id: string, now: number): Promise<boolean> {
  const row = await tx.kysely
    .updateTable("users")
    .set({ ...EMPTIED, search_name: null, updated_at: now, deleted_at: now })
    .where("id", "=", id)
    .where("tenant_id", "=", tenantId)
    .where("deleted_at", "is", null)
    .returning("id")
    .executeTakeFirst();
  if (!row) return false;
  await tx.kysely.deleteFrom("user_emails").where("user_id", "=", id).execute();
  return true;
}

/** Turns a tombstone back into a user. @returns false unless it is a tombstone of this tenant */
export async function reviveUser(
  tx: Executor,
  tenantId: string,
  id: string,
  kept: { displayName: string | null; publicMetadata: string; privateMetadata: string },
  now: number,
): Promise<boolean> {
  const row = await tx.kysely
    .updateTable("users")
    .set({
      display_name: kept.displayName,
      search_name: searchNameOf(kept.displayName),
      public_metadata: kept.publicMetadata,
      private_metadata: kept.privateMetadata,
      updated_at: now,
      deleted_at: null,
    })
    .where("id", "=", id)
    .where("tenant_id", "=", tenantId)
    .where("deleted_at", "is not", null)
    .returning("id")
    .executeTakeFirst();
  return row !== undefined;
}

export async function insertEmail(
  tx: Executor,
  row: {
    id: string;
    tenantId: string;
    userId: string;
    address: string;
    canonical: string;
    now: number;
    isPrimary?: boolean;
    isVerified?: boolean;
  },
): Promise<void> {
  await tx.kysely
    .insertInto("user_emails")
    .values({
      id: row.id,
      tenant_id: row.tenantId,
      user_id: row.userId,
      address: row.address,
      canonical: row.canonical,
      is_primary: row.isPrimary === false ? 0 : 1,
      verified_at: row.isVerified ? row.now : null,
      created_at: row.now,
    })
    .execute();
}

const pageById = prepared((db, p: Param<{ tenant_id: string; after: string; limit: number }>) =>
  usersWithEmail(db)
    .where("users.tenant_id", "=", p("tenant_id"))
    .where("users.id", ">", p("after"))
    .where("users.deleted_at", "is", null)
    .orderBy("users.id")
    .limit(p("limit")),
);

const pageByEmail = prepared((db, p: Param<{ tenant_id: string; after: string; limit: number; canonical: string }>) =>
  usersWithEmail(db)
    .where("users.tenant_id", "=", p("tenant_id"))
    .where("users.id", ">", p("after"))
    .where("users.deleted_at", "is", null)
    .where("users.id", "in", (eb) =>
      eb
        .selectFrom("user_emails as owner")
        .select("owner.user_id")
        .where("owner.tenant_id", "=", p("tenant_id"))
        .where("owner.canonical", "=", p("canonical")),
    )
    .orderBy("users.id")
    .limit(p("limit")),
);

/** A prefix that every address shares must not sort a whole tenant while other requests wait. */
const MAX_MATCHES = 1_000;

/** Returns users of a tenant ordered by id, starting after `after`, without tombstones. */
export async function pageOfUsers(
  at: Executor,
  page: {
    tenantId: string;
    after: string | null;
    limit: number;
    /** The canonical address. */
    email: string | null;
    externalId: string | null;
    anonymous: boolean | null;
    /**
     * A prefix of the display name or the address, in {@link searchForm}. Only the first thousand matches of each are examined.
     */
    search: string | null;
  },
): Promise<UserRow[]> {
  const params = { tenant_id: page.tenantId, after: page.after ?? "", limit: page.limit };
  if (page.externalId === null && page.search === null && page.anonymous === null) {
    if (page.email === null) return at.all(pageById, params);
    return at.all(pageByEmail, { ...params, canonical: page.email });
  }
  let query = usersWithEmail(at.kysely)
    .where("users.tenant_id", "=", page.tenantId)
    .where("users.deleted_at", "is", null)
    .orderBy("users.id")
    .limit(page.limit);
  if (page.after !== null) query = query.where("users.id", ">", page.after);
  if (page.email !== null) {
    const owner = at.kysely
      .selectFrom("user_emails")
      .select("user_id")
      .where("tenant_id", "=", page.tenantId)
      .where("canonical", "=", page.email);
    query = query.where("users.id", "in", owner);
  }
  if (page.anonymous !== null) query = query.where("users.is_anonymous", "=", page.anonymous ? 1 : 0);
  if (page.externalId !== null) query = query.where("users.external_id", "=", page.externalId);
  if (page.search !== null) {
    const from = page.search;
    // No text with this prefix sorts after the prefix followed by the last code point.
    const to = `${from}\u{10ffff}`;
    const byName = at.kysely
      .selectFrom("users")
      .select("id")
      .where("tenant_id", "=", page.tenantId)
      .where("search_name", ">=", from)
      .where("search_name", "<", to)
      .orderBy("search_name")
      .limit(MAX_MATCHES);
    const byAddress = at.kysely
      .selectFrom("user_emails")
      .select("user_id as id")
      .where("tenant_id", "=", page.tenantId)
      .where("canonical", ">=", from)
      .where("canonical", "<", to)
      .orderBy("canonical")
      .limit(MAX_MATCHES);
    const named = at.kysely.selectFrom(byName.as("named")).select("named.id");
    const addressed = at.kysely.selectFrom(byAddress.as("addressed")).select("addressed.id");
    query = query.where("users.id", "in", named.union(addressed));
  }
  return query.execute();
}
