import * as z from "../../core/zod.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import { idInput, pageInput, pageOf } from "../../rpc/schemas.ts";
import type { SessionService } from "./service.ts";
import { exampleManagedSession, managedSessionSchema } from "./wire.ts";

const byId = z.strictObject({ id: idInput("session").describe("The session's id (`sid`), in either form.") });
const exampleId = "ses_01HWY4P30XF8NRRFAEBXG730MK";

export function sessionsRouter(procedures: Procedures, sessions: SessionService) {
  return {
    sessions: {
      list: procedures
        .key("sessions:read", {
          summary: "List the application's live sessions, oldest first.",
          output: pageOf(managedSessionSchema),
          errors: [],
          rest: { method: "GET", path: "/v1/sessions" },
          example: { output: { data: [exampleManagedSession], next_cursor: null } },
        })
        .input(
          z
            .strictObject({
              ...pageInput("session"),
              user_id: idInput("user").nullish().describe("Only sessions of this user; the id in either form."),
            })
            .optional(),
        )
        .query(({ ctx, input }) =>
          sessions.list(ctx, {
            limit: input?.limit ?? 20,
            cursor: input?.cursor ?? null,
            userId: input?.user_id ?? null,
          }),
        ),
      get: procedures
        .key("sessions:read", {
          summary: "Read one session of the application. An ended session stays for 30 days.",
          output: managedSessionSchema,
          errors: ["not_found"],
          rest: { method: "GET", path: "/v1/sessions/{id}" },
          example: { input: { id: exampleId }, output: exampleManagedSession },
        })
        .input(byId)
        .query(({ ctx, input }) => sessions.get(ctx, input.id)),
      revoke: procedures
        .key("sessions:write", {
          summary: "End a session of the application.",
          description: "Its tokens are refused from now on: here at once, elsewhere through the revocation list.",
          output: managedSessionSchema,
          errors: ["not_found"],
          rest: { method: "DELETE", path: "/v1/sessions/{id}" },
          example: {
            input: { id: exampleId },
            output: { ...exampleManagedSession, ended_at: "2026-01-01T13:00:00.000Z", end_reason: "revoked" },
          },
        })
        .input(byId)
        .mutation(({ ctx, input }) => sessions.revoke(ctx, input.id)),
    },
  };
}
