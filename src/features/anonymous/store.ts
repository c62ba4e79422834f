import { type ExpressionBuilder, sql } from "kysely";
import type { Database } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";

/** Times in ms: sessions end by `now`; who was made or seen since `before` is kept. */
interface Age {
  now: number;
  before: number;
}

export interface AbandonedUser {
  id: string;
  tenant_id: string;
  /** The tenant's default one, else its first: in whose name the deletion is told. */
  application_id: string | null;
}

/**
 * Nothing leads back to them: no live session, no external id that a backend could sign for, and none of what claims an
 * account. (What claims one also ends `is_anonymous`; this is asked all the same, because a mistake there would delete people.)
 */
function isAbandoned(eb: ExpressionBuilder<Database, "users">, { now, before }: Age) {
  const liveSession = eb
    .selectFrom("sessions")
    .select("sessions.id")
    .whereRef("sessions.user_id", "=", "users.id")
    .where("sessions.ended_at", "is", null)
    .where((on) => on.or([on("sessions.refresh_expires_at", ">", now), on("sessions.last_seen_at", ">=", before)]));
  const lateSession = eb
    .selectFrom("sessions")
    .select("sessions.id")
    .whereRef("sessions.user_id", "=", "users.id")
    .where("sessions.ended_at", "is not", null)
    .where("sessions.last_seen_at", ">=", before);
  const owned = (["user_emails", "password_credentials", "passkeys"] as const).map((table) =>
    eb.not(
      eb.exists(eb.selectFrom(table).select(sql<number>`1`.as("one")).whereRef(`${table}.user_id`, "=", "users.id")),
    ),
  );
  return eb.and([
    eb("users.is_anonymous", "=", eb.lit(1)),
    eb("users.deleted_at", "is", null),
    eb("users.created_at", "<", before),
    eb("users.external_id", "is", null),
    eb.not(eb.exists(liveSession)),
    eb.not(eb.exists(lateSession)),
    ...owned,
  ]);
}

/** The oldest first. */
export function abandonedUsers(at: Executor, age: Age, limit: number): Promise<AbandonedUser[]> {
  return at.kysely
    .selectFrom("users")
    .innerJoin("tenants", "tenants.id", "users.tenant_id")
    .select((eb) => [
      "users.id",
      "users.tenant_id",
      eb.fn
        .coalesce(
          "tenants.default_application_id",
          eb
            .selectFrom("applications")
            .select((app) => app.fn.min("applications.id").as("id"))
            .whereRef("applications.tenant_id", "=", "users.tenant_id"),
        )
        .as("application_id"),
    ])
    .where((eb) => isAbandoned(eb as unknown as ExpressionBuilder<Database, "users">, age))
    .orderBy("users.created_at")
    .limit(limit)
    .execute();
}

/** Asked again in the transaction that deletes, once the row is held. */
export async function isStillAbandoned(tx: Executor, id: string, age: Age): Promise<boolean> {
  const row = await tx.kysely
    .selectFrom("users")
    .select("users.id")
    .where("users.id", "=", id)
    .where((eb) => isAbandoned(eb, age))
    .executeTakeFirst();
  return row !== undefined;
}
