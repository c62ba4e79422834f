import { sql } from "kysely";
import type { SessionsTable } from "../../storage/schema.ts";
import { type Batch, deleteSome } from "../../storage/some-rows.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";
import { userColumns } from "../users/public.ts";
import type { UserRow } from "../users/wire.ts";

const SESSION = [
  "sessions.id as sid",
  "sessions.tenant_id",
  "sessions.application_id",
  "sessions.user_id",
  "sessions.organization_id",
  "sessions.aal",
  "sessions.auth_method",
  "sessions.amr",
  "sessions.authenticated_at",
  "sessions.audience",
  "sessions.scope",
  "sessions.delivery",
  "sessions.user_agent",
  "sessions.address",
  "sessions.generation",
  "sessions.refresh_issued_at",
  "sessions.refresh_expires_at",
  "sessions.rotated_at",
  "sessions.created_at as session_created_at",
  "sessions.last_seen_at",
  "sessions.expires_at",
  "sessions.ended_at",
  "sessions.trusted_until",
  "sessions.is_stand_in",
] as const;

const bundleById = prepared((db, p: Param<{ id: string }>) =>
  db
    .selectFrom("sessions")
    .innerJoin("users", "users.id", "sessions.user_id")
    .leftJoin("user_emails", (join) =>
      join.onRef("user_emails.user_id", "=", "users.id").on("user_emails.is_primary", "=", 1),
    )
    .select(SESSION)
    .select(userColumns("id", "tenant_id", "private_metadata", "created_at", "updated_at"))
    .select([
      "users.created_at as user_created_at",
      "users.updated_at as user_updated_at",
      "user_emails.address as email",
      "user_emails.verified_at as email_verified_at",
    ])
    .where("sessions.id", "=", p("id")),
);

/** Returns a session with its user in one read. The gate calls it for every request. */
export const findSession = (at: Executor, id: string) => at.first(bundleById, { id });
export type SessionBundle = NonNullable<Awaited<ReturnType<typeof findSession>>>;

/** Returns what {@link findSession} would read, from the row of a new session and its user. */
export function bundleOf(made: SessionsTable, user: UserRow): SessionBundle {
  const { id: sid, created_at: session_created_at, trusted_device_id: _device, end_reason: _reason, ...session } = made;
  const { id: _id, tenant_id: _tenant, private_metadata: _metadata, created_at, updated_at, ...person } = user;
  const times = { session_created_at, user_created_at: created_at, user_updated_at: updated_at };
  return { ...session, ...person, ...times, sid };
}

/** Returns why a session ended; null if it is unknown, alive or expired. */
export async function endReasonOf(at: Executor, sid: string): Promise<string | null> {
  const row = await at.kysely.selectFrom("sessions").select("end_reason").where("id", "=", sid).executeTakeFirst();
  return row?.end_reason ?? null;
}

/** Returns whether a session and its user are still valid. */
export function isLiveSession(session: SessionBundle, now: number): boolean {
  return (
    session.ended_at === null && session.disabled_at === null && session.deleted_at === null && session.expires_at > now
  );
}

const insertRow = prepared((db, p: Param<{ [K in keyof SessionsTable]: SessionsTable[K] }>) =>
  db.insertInto("sessions").values({
    id: p("id"),
    tenant_id: p("tenant_id"),
    application_id: p("application_id"),
    user_id: p("user_id"),
    organization_id: p("organization_id"),
    aal: p("aal"),
    auth_method: p("auth_method"),
    amr: p("amr"),
    authenticated_at: p("authenticated_at"),
    audience: p("audience"),
    scope: p("scope"),
    delivery: p("delivery"),
    user_agent: p("user_agent"),
    address: p("address"),
    generation: p("generation"),
    refresh_issued_at: p("refresh_issued_at"),
    refresh_expires_at: p("refresh_expires_at"),
    rotated_at: p("rotated_at"),
    created_at: p("created_at"),
    last_seen_at: p("last_seen_at"),
    expires_at: p("expires_at"),
    ended_at: p("ended_at"),
    end_reason: p("end_reason"),
    trusted_device_id: p("trusted_device_id"),
    trusted_until: p("trusted_until"),
    is_stand_in: p("is_stand_in"),
  }),
);

export const insertSession = (tx: Executor, row: SessionsTable): void =>
  tx.later(insertRow, row as SessionsTable & Record<string, string | number | null>);

type Advance = { id: string; generation: number; now: number; next: number; refresh_expires_at: number };
const advanceRow = prepared((db, p: Param<Advance>) =>
  db
    .updateTable("sessions")
    .set({
      generation: p("next"),
      refresh_issued_at: p("now"),
      refresh_expires_at: p("refresh_expires_at"),
      rotated_at: p("now"),
      last_seen_at: p("now"),
    })
    .where("id", "=", p("id"))
    .where("generation", "=", p("generation"))
    .where("ended_at", "is", null)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom("users")
          .select("users.id")
          .whereRef("users.id", "=", "sessions.user_id")
          .where("users.disabled_at", "is", null)
          .where("users.deleted_at", "is", null),
      ),
    )
    .returning("generation"),
);

/**
 * Spends a refresh token in one conditional UPDATE. Returns undefined when another request was first, or the session has ended.
 */
export const advanceGeneration = (tx: Executor, params: Advance) => tx.first(advanceRow, params);

const endRow = prepared((db, p: Param<{ id: string; now: number; reason: string }>) =>
  db
    .updateTable("sessions")
    .set({ ended_at: p("now"), end_reason: p("reason") })
    .where("id", "=", p("id"))
    .where("ended_at", "is", null)
    .returning("generation"),
);

/** A session begins in generation 1, and each refresh begins the next one. @returns how often it was refreshed */
export function refreshesOf({ generation }: Pick<SessionsTable, "generation">): number {
  return generation - 1;
}

/** Ends a session. Returns undefined when it has already ended. */
export const endSessionRow = (tx: Executor, id: string, now: number, reason: string) =>
  tx.first(endRow, { id, now, reason });

/** Ends the trust in a device for the sessions that it began: their next refresh asks for a sign-in where the policy does. */
export async function distrustSessions(tx: Executor, userId: string, deviceId: string): Promise<void> {
  await tx.kysely
    .updateTable("sessions")
    .set({ trusted_until: 0 })
    .where("user_id", "=", userId)
    .where("trusted_device_id", "=", deviceId)
    .where("ended_at", "is", null)
    .execute();
}

/** Ends every session. @returns how many had not ended before */
export async function endEverySessionRow(tx: Executor, now: number, reason: string): Promise<number> {
  const ended = await tx.kysely
    .updateTable("sessions")
    .set({ ended_at: now, end_reason: reason })
    .where("ended_at", "is", null)
    .returning("id")
    .execute();
  return ended.length;
}

const liveOfUser = prepared(
  (db, p: Param<{ user_id: string; application_id: string; now: number; after: string; limit: number }>) =>
    db
      .selectFrom("sessions")
      .selectAll()
      .where("user_id", "=", p("user_id"))
      .where("application_id", "=", p("application_id"))
      .where("ended_at", "is", null)
      .where("refresh_expires_at", ">", p("now"))
      .where("id", ">", p("after"))
      .orderBy("id")
      .limit(p("limit")),
);

export const pageOfSessions = (
  at: Executor,
  page: { userId: string; applicationId: string; now: number; after: string; limit: number },
) =>
  at.all(liveOfUser, {
    user_id: page.userId,
    application_id: page.applicationId,
    now: page.now,
    after: page.after,
    limit: page.limit,
  });

const ofApplication = prepared((db, p: Param<{ id: string; application_id: string }>) =>
  db
    .selectFrom("sessions")
    .innerJoin("users", "users.id", "sessions.user_id")
    .selectAll("sessions")
    .where("sessions.id", "=", p("id"))
    .where("sessions.application_id", "=", p("application_id"))
    .where("users.deleted_at", "is", null),
);

/** Returns a session of one application, live or ended, unless its user was deleted. */
export const findSessionOf = (at: Executor, applicationId: string, id: string) =>
  at.first(ofApplication, { id, application_id: applicationId });

const livePage = prepared((db, p: Param<{ application_id: string; now: number; after: string; limit: number }>) =>
  db
    .selectFrom("sessions")
    .selectAll()
    .where("application_id", "=", p("application_id"))
    .where("ended_at", "is", null)
    .where("refresh_expires_at", ">", p("now"))
    .where("id", ">", p("after"))
    .orderBy("id")
    .limit(p("limit")),
);

/** Returns live sessions of one application ordered by id, starting after `after`. */
export const pageOfApplication = (
  at: Executor,
  page: { applicationId: string; now: number; after: string; limit: number },
) => at.all(livePage, { application_id: page.applicationId, now: page.now, after: page.after, limit: page.limit });

/** Returns the ids of a user's live sessions, in all applications or in one. */
export async function liveSessionIds(at: Executor, userId: string, applicationId: string | null): Promise<string[]> {
  const query = at.kysely
    .selectFrom("sessions")
    .select("id")
    .where("user_id", "=", userId)
    .where("ended_at", "is", null);
  const rows = await (applicationId === null ? query : query.where("application_id", "=", applicationId)).execute();
  return rows.map((row) => row.id);
}

/** Deletes the sessions of a deleted user, after all have ended: they show when and from where the user signed in. */
export async function deleteSessionsOf(tx: Executor, userId: string): Promise<void> {
  await tx.kysely.deleteFrom("sessions").where("user_id", "=", userId).where("ended_at", "is not", null).execute();
}

/** Deletes sessions 30 days after their end. */
export function purgeEndedSessions(tx: Executor, before: number, limit: number): Promise<Batch> {
  return deleteSome(tx, "sessions", sql`ended_at < ${before}`, limit);
}

/** Deletes sessions 30 days after the last moment at which a refresh could have continued them. */
export function purgeExpiredSessions(tx: Executor, before: number, limit: number): Promise<Batch> {
  return deleteSome(tx, "sessions", sql`expires_at < ${before}`, limit);
}

/** Returns live and recently ended sessions, newest first. Each half has an index of its own. */
export async function sessionsOf(at: Executor, userId: string, limit: number) {
  const all = at.kysely.selectFrom("sessions").selectAll().where("user_id", "=", userId).orderBy("id", "desc");
  const live = await all.where("ended_at", "is", null).limit(limit).execute();
  const ended = await all.where("ended_at", "is not", null).limit(limit).execute();
  return [...live, ...ended].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit);
}
