import * as z from "../../core/zod.ts";
import { proofInput, proofOf, withProof } from "../../identity/email-proofs/proofs.ts";
import type { Identity } from "../../identity/identity.ts";
import { exampleMailSent, exampleTokens, mailSentSchema, signInSchema } from "../../identity/sessions/wire.ts";
import { deliverOutcome } from "../../rpc/deliver.ts";
import { presentedSession } from "../../rpc/presented.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import { signInInput, signInRequest } from "../../rpc/sign-in-input.ts";
import { EMAIL_METHODS, type EmailSignIns } from "./service.ts";

const describedLink = z
  .strictObject({
    kind: z
      .enum(["sign_in", "sign_up", "verify_email", "reset_password", "undo_email_change", "restore_account"])
      .describe("The purpose of the link."),
    email: z
      .string()
      .nullable()
      .describe("The address of the link's owner; of its local part only the first character is shown."),
    application: z.strictObject({
      id: z.uuid(),
      name: z.string(),
      home_url: z.string().nullable().describe("The page to go to next."),
    }),
    expires_at: z.iso.datetime(),
    works_here: z
      .boolean()
      .describe(
        "Whether the link works in this browser. A link that signs in works only in the browser that asked for it, and a link " +
          "that gives an account its address only beside a session of that account.",
      ),
    account: z
      .string()
      .nullable()
      .describe("The primary address of the account that asked, masked like `email`; null if there is none."),
    asked_at: z.iso.datetime(),
    asked_by: z.string().nullable().describe("The device that asked: `Firefox on Windows`."),
  })
  .meta({ id: "DescribedLink" });

export function emailSignInRouter(
  identity: Pick<Identity, "accessTokens" | "refreshService">,
  procedures: Procedures,
  signIns: EmailSignIns,
) {
  const auth = {
    email: {
      start: procedures
        .public({
          summary: "Ask for a mail with a link or a code to sign in with.",
          description:
            "The answer is the same whether or not there is an account. `magic_link` mails a link and a code; `email_code` " +
            "mails a code only. Both work once, for 10 minutes. The link works only in the browser that made this call, " +
            "which a cookie remembers. The code works on the device that has `flow_id`.",
          output: mailSentSchema,
          errors: ["forbidden", "origin_not_allowed"],
          rest: { method: "POST", path: "/v1/auth/email/start", status: 202 },
          example: { input: { email: "ada@example.com", method: "email_code" }, output: exampleMailSent },
        })
        .input(
          z.strictObject({
            email: z.string().min(1).max(1016).describe("One e-mail address."),
            method: z.enum(EMAIL_METHODS),
          }),
        )
        .mutation(async ({ ctx, input }) => {
          const { flowId, expiresIn } = await signIns.start(ctx.act, input);
          const { application } = ctx.act;
          if (input.method === "magic_link") {
            const flowIds = [...ctx.call.cookies(application).asked, flowId];
            ctx.call.reply.cookies.push({ kind: "asked", application, flowIds, maxAge: expiresIn });
          }
          return { status: "sent" as const, flow_id: flowId, expires_in: expiresIn };
        }),
      complete: procedures
        .public({
          summary: "Sign in with the mailed link or code.",
          description:
            "Takes `token` (the part after `#` in the link), or `flow_id` and `code`. Five wrong codes end the flow. A link " +
            "works only for the browser that asked for it; a client without cookies sends `flow_id` with `token`. Use of a " +
            "mail ends the user's other mails to sign in. The first proof of an address ends every credential and session " +
            "from before it.",
          output: signInSchema,
          errors: ["invalid_code", "invalid_credentials", "factor_elsewhere", "forbidden", "origin_not_allowed"],
          rest: { method: "POST", path: "/v1/auth/email/complete" },
          example: { input: { flow_id: exampleMailSent.flow_id, code: "1234 5678" }, output: exampleTokens },
        })
        .input(
          withProof(
            z.strictObject({
              ...proofInput,
              ...signInInput,
            }),
          ),
        )
        .mutation(async ({ ctx, input }) => {
          const { asked } = ctx.call.cookies(ctx.act.application);
          const request = await signInRequest(identity, ctx, input);
          return deliverOutcome(ctx.call, await signIns.complete(request, proofOf(input), asked));
        }),
    },
    describeLink: procedures
      .public({
        summary: "Describe a mailed link without using it.",
        description: "For the page that the link opens. The link is used only when the reader presses the button.",
        output: describedLink,
        errors: ["invalid_code", "origin_not_allowed"],
        rest: { method: "POST", path: "/v1/auth/link" },
        example: {
          input: { token: "sally_ml_…" },
          output: {
            kind: "sign_in",
            email: "a•••@example.com",
            application: {
              id: "018f3c40-1a2b-7c3d-8e4f-5a6b7c8d9e0f",
              name: "My application",
              home_url: "https://app.example.com/",
            },
            expires_at: "2026-01-01T12:10:00.000Z",
            works_here: true,
            account: "a•••@example.com",
            asked_at: "2026-01-01T12:00:00.000Z",
            asked_by: "Firefox on Windows",
          },
        },
      })
      .input(z.strictObject({ token: z.string().min(1).max(200).describe("The part after `#` in the link.") }))
      .mutation(({ ctx, input }) =>
        signIns.describe(ctx.act, input.token, {
          asked: (application) => ctx.call.cookies(application).asked,
          sid: (application) => presentedSession(identity, ctx.call, { act: { application } }),
        }),
      ),
  };
  return { auth };
}
