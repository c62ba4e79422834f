import { type Executor, type Param, prepared } from "../../storage/storage.ts";

const ofApplication = prepared((db, p: Param<{ id: string; application_id: string }>) =>
  db
    .selectFrom("sessions")
    .innerJoin("users", "users.id", "sessions.user_id")
    .selectAll("sessions")
    .where("sessions.id", "=", p("id"))
    .where("sessions.application_id", "=", p("application_id"))
    .where("users.deleted_at", "is", null),
);

/** A session of one application, live or ended; none of a user who was deleted. */
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

/** Live sessions of one application in the order of their ids, after `after`. */
export const pageOfApplication = (
  at: Executor,
  page: { applicationId: string; now: number; after: string; limit: number },
) => at.all(livePage, { application_id: page.applicationId, now: page.now, after: page.after, limit: page.limit });
