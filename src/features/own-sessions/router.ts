import * as z from "../../core/zod.ts";
import {
  applicationSchema,
  exampleSession,
  exampleTokens,
  sessionOfBundle,
  sessionSchema,
  tokensSchema,
  toWireApplication,
} from "../../identity/sessions/wire.ts";
import { exampleUser, toWireUser, userSchema } from "../../identity/users/wire.ts";
import { deliver } from "../../rpc/deliver.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import { idInput, pageInput, pageOf } from "../../rpc/schemas.ts";
import type { OwnSessions } from "./service.ts";

const success = z.strictObject({ status: z.literal("success") });
const whoAmI = z.strictObject({
  user: userSchema,
  session: sessionSchema
    .nullable()
    .describe("null for a token that the customer's backend signed, because there was no sign-in."),
  organization: z.null().describe("The organization of the session."),
  application: applicationSchema,
});

export function ownSessionsRouter(procedures: Procedures, sessions: OwnSessions) {
  const auth = {
    refresh: procedures
      .public({
        summary: "Exchange a refresh token for new tokens.",
        description:
          "The token comes in the body, or else in the refresh cookie (REST only). Each token works once. Until its " +
          "successor is used, and for two minutes at most, a repeat gets the same successor again; a later copy ends the session.",
        output: tokensSchema,
        errors: [
          "authentication_required",
          "invalid_credentials",
          "token_expired",
          "token_revoked",
          "application_mismatch",
          "origin_not_allowed",
        ],
        rest: { method: "POST", path: "/v1/auth/refresh" },
        example: { input: { refresh_token: exampleTokens.refresh_token }, output: exampleTokens },
      })
      .input(z.strictObject({ refresh_token: z.string().min(1).max(8192).nullish() }).optional())
      .mutation(async ({ ctx, input }) => deliver(ctx.call, await sessions.refresh(ctx, input?.refresh_token ?? null))),
    logout: procedures
      .signOut({
        summary: "End the session, or all of the user's sessions.",
        description:
          "Takes an access token, expired or not, or the refresh cookie. To end an ended session is not an error. `all` takes " +
          "a live session and its valid access token with scope `account`, as `DELETE /v1/auth/sessions` does.",
        output: success,
        errors: [
          "authentication_required",
          "insufficient_scope",
          "origin_not_allowed",
          "token_expired",
          "token_revoked",
        ],
        rest: { method: "POST", path: "/v1/auth/logout" },
        example: { input: {}, output: { status: "success" } },
      })
      .input(z.strictObject({ all: z.boolean().default(false) }).optional())
      .mutation(async ({ ctx, input }) => {
        const all = input?.all ?? false;
        const caller = all ? await ctx.everySession() : await ctx.ownSession();
        await sessions.signOut(caller, all);
        ctx.call.reply.cookies.push({ kind: "clear", application: caller.act.application });
        return { status: "success" as const };
      }),
    session: procedures
      .endUser("public", {
        summary: "Read the signed-in user and the session.",
        output: whoAmI,
        errors: [],
        rest: { method: "GET", path: "/v1/auth/session" },
        example: {
          output: {
            user: exampleUser,
            session: exampleSession,
            organization: null,
            application: { id: exampleSession.application_id, name: "My application", type: "web" },
          },
        },
      })
      .query(({ ctx }) => ({
        user: toWireUser(ctx.user),
        session: ctx.session && sessionOfBundle(ctx.session),
        organization: null,
        application: toWireApplication(ctx.act.application),
      })),
    sessions: {
      list: procedures
        .session({
          summary: "List the user's own live sessions in this application.",
          output: pageOf(sessionSchema),
          errors: [],
          rest: { method: "GET", path: "/v1/auth/sessions" },
          example: { output: { data: [exampleSession], next_cursor: null } },
        })
        .input(z.strictObject(pageInput("session")).optional())
        .query(({ ctx, input }) => sessions.list(ctx, input?.limit ?? 20, input?.cursor ?? null)),
      revoke: procedures
        .session({
          summary: "End one of the user's own sessions.",
          output: success,
          errors: ["not_found"],
          rest: { method: "DELETE", path: "/v1/auth/sessions/{id}" },
          example: { input: { id: "ses_01HWY4P30XF8NRRFAEBXG730MK" }, output: { status: "success" } },
        })
        .input(z.strictObject({ id: idInput("session").describe("The session's id, in either form.") }))
        .mutation(async ({ ctx, input }) => {
          const id = input.id;
          await sessions.revoke(ctx, id);
          if (id === ctx.session.sid) ctx.call.reply.cookies.push({ kind: "clear", application: ctx.act.application });
          return { status: "success" as const };
        }),
      revokeOthers: procedures
        .session({
          summary: "End all of the user's sessions except this one, in every application.",
          output: z.strictObject({
            status: z.literal("success"),
            ended: z.int().describe("Number of sessions that were ended."),
          }),
          errors: [],
          rest: { method: "DELETE", path: "/v1/auth/sessions" },
          example: { output: { status: "success", ended: 2 } },
        })
        .mutation(async ({ ctx }) => ({ status: "success" as const, ended: await sessions.revokeOthers(ctx) })),
    },
  };
  return { auth };
}
