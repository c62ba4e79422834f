import type { UsersTable } from "../../storage/schema.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";

export interface UserRow {
  id: string;
  tenant_id: string;
  external_id: string | null;
  display_name: string | null;
  public_metadata: string;
  private_metadata: string;
  created_at: number;
  updated_at: number;
  disabled_at: number | null;
  deleted_at: number | null;
  email: string | null;
  email_verified_at: number | null;
}

const COLUMNS = [
  "users.id",
  "users.tenant_id",
  "users.external_id",
  "users.display_name",
  "users.public_metadata",
  "users.private_metadata",
  "users.created_at",
  "users.updated_at",
  "users.disabled_at",
  "users.deleted_at",
  "user_emails.address as email",
  "user_emails.verified_at as email_verified_at",
] as const;

const userById = prepared((db, p: Param<{ tenant_id: string; id: string }>) =>
  db
    .selectFrom("users")
    .leftJoin("user_emails", (join) =>
      join.onRef("user_emails.user_id", "=", "users.id").on("user_emails.is_primary", "=", 1),
    )
    .select(COLUMNS)
    .where("users.id", "=", p("id"))
    .where("users.tenant_id", "=", p("tenant_id")),
);

export const findUser = (at: Executor, tenantId: string, id: string): Promise<UserRow | undefined> =>
  at.first(userById, { tenant_id: tenantId, id });

export async function insertUser(tx: Executor, row: UsersTable): Promise<void> {
  await tx.kysely.insertInto("users").values(row).execute();
}

export async function insertEmail(
  tx: Executor,
  row: { id: string; tenantId: string; userId: string; address: string; canonical: string; now: number },
): Promise<void> {
  await tx.kysely
    .insertInto("user_emails")
    .values({
      id: row.id,
      tenant_id: row.tenantId,
      user_id: row.userId,
      address: row.address,
      canonical: row.canonical,
      is_primary: 1,
      verified_at: null,
      created_at: row.now,
    })
    .execute();
}

const pageById = prepared((db, p: Param<{ tenant_id: string; after: string; limit: number }>) =>
  db
    .selectFrom("users")
    .leftJoin("user_emails", (join) =>
      join.onRef("user_emails.user_id", "=", "users.id").on("user_emails.is_primary", "=", 1),
    )
    .select(COLUMNS)
    .where("users.tenant_id", "=", p("tenant_id"))
    .where("users.id", ">", p("after"))
    .where("users.deleted_at", "is", null)
    .orderBy("users.id")
    .limit(p("limit")),
);

const pageByEmail = prepared((db, p: Param<{ tenant_id: string; after: string; limit: number; canonical: string }>) =>
  db
    .selectFrom("users")
    .leftJoin("user_emails", (join) =>
      join.onRef("user_emails.user_id", "=", "users.id").on("user_emails.is_primary", "=", 1),
    )
    .select(COLUMNS)
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

/** Users of a tenant in the order of their ids, after `after` (null: from the first). Tombstones are not listed. */
export async function pageOfUsers(
  at: Executor,
  page: { tenantId: string; after: string | null; limit: number; email: string | null },
): Promise<UserRow[]> {
  const params = { tenant_id: page.tenantId, after: page.after ?? "", limit: page.limit };
  if (page.email === null) return at.all(pageById, params);
  return at.all(pageByEmail, { ...params, canonical: page.email });
}
