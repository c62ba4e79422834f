import { type ExpressionBuilder, sql } from "kysely";
import type { Database } from "../../../storage/schema.ts";
import type { Executor } from "../../../storage/storage.ts";
import type { UserCondition } from "../../../storage/user-condition.ts";

/** Returns the names of the conditions that hold for a user. */
export async function trueConditions(
  at: Executor,
  userId: string,
  conditions: Readonly<Record<string, UserCondition>>,
): Promise<ReadonlySet<string>> {
  const rows = await at.kysely
    .selectFrom("users")
    .where("users.id", "=", userId)
    .select((eb) =>
      Object.entries(conditions).map(([name, holds]) =>
        eb
          .case()
          .when(holds(eb.ref("users.id")))
          .then(eb.lit(1))
          .else(eb.lit(0))
          .end()
          .as(name),
      ),
    )
    .execute();
  const [row = {}] = rows;
  return new Set(Object.entries(row).flatMap(([name, isHeld]) => (Number(isHeld) === 1 ? [name] : [])));
}

/** Times in ms. `now` decides which sessions have ended, and users created or seen since `before` are kept. */
export interface Age {
  now: number;
  before: number;
}

export interface AbandonedUser {
  id: string;
  tenant_id: string;
}

/**
 * Selects users who cannot come back: no live session, no external id for a backend to sign, no address, and no credential of
 * any feature. (Each of these also ends `is_anonymous`. They are checked anyway, because a mistake there would delete people.)
 */
function isAbandoned(
  eb: ExpressionBuilder<Database, "users">,
  { now, before }: Age,
  credentials: readonly UserCondition[],
) {
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
  const address = eb
    .selectFrom("user_emails")
    .select(sql<number>`1`.as("one"))
    .whereRef("user_emails.user_id", "=", "users.id");
  return eb.and([
    eb("users.is_anonymous", "=", eb.lit(1)),
    eb("users.deleted_at", "is", null),
    eb("users.created_at", "<", before),
    eb("users.external_id", "is", null),
    eb.not(eb.exists(liveSession)),
    eb.not(eb.exists(lateSession)),
    eb.not(eb.exists(address)),
    ...credentials.map((holds) => eb.not(holds(eb.ref("users.id")))),
  ]);
}

export function abandonedUsers(
  at: Executor,
  age: Age,
  credentials: readonly UserCondition[],
  limit: number,
): Promise<AbandonedUser[]> {
  return at.kysely
    .selectFrom("users")
    .select(["users.id", "users.tenant_id"])
    .where((eb) => isAbandoned(eb, age, credentials))
    .orderBy("users.created_at")
    .limit(limit)
    .execute();
}

export async function isStillAbandoned(
  tx: Executor,
  id: string,
  age: Age,
  credentials: readonly UserCondition[],
): Promise<boolean> {
  const row = await tx.kysely
    .selectFrom("users")
    .select("users.id")
    .where("users.id", "=", id)
    .where((eb) => isAbandoned(eb, age, credentials))
    .executeTakeFirst();
  return row !== undefined;
}
