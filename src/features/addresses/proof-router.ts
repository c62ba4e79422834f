import * as z from "../../core/zod.ts";
import { userRef } from "../../identity/audit/act.ts";
import { proofInput, proofOf, withProof } from "../../identity/email-proofs/proofs.ts";
import type { Identity } from "../../identity/identity.ts";
import { exampleMailSent, mailSentSchema } from "../../identity/sessions/wire.ts";
import { presentedSession } from "../../rpc/presented.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import type { Undo } from "./undo.ts";
import type { Verification } from "./verification.ts";
import { toMailSent } from "./wire.ts";

const mfaToken = z
  .string()
  .min(1)
  .max(2048)
  .nullish()
  .describe("The token of a sign-in that answered `setup_required`, if there is no session yet.");

/** The procedures behind the mails about addresses. */
export function proofRouter(
  identity: Pick<Identity, "accessTokens" | "refreshService" | "secondFactors">,
  procedures: Procedures,
  verification: Verification,
  undo: Undo,
) {
  const email = {
    proof: procedures
      .flowOrSession({
        summary: "Send the mail that proves the account's address, or name the mail that is on its way.",
        description:
          "For a call that answered `address_unproven`. The code of the mail goes to `POST /v1/auth/email/verify`. A sign-up " +
          "sends such a mail too, so usually none is sent here unless `again` is true.",
        output: mailSentSchema,
        errors: ["conflict"],
        rest: { method: "POST", path: "/v1/auth/email/proof", status: 202 },
        example: { input: {}, output: exampleMailSent },
      })
      .input(
        z
          .strictObject({
            mfa_token: mfaToken,
            again: z.boolean().default(false).describe("Send another mail in any case."),
          })
          .optional(),
      )
      .mutation(async ({ ctx, input }) => {
        const token = input?.mfa_token ?? null;
        const again = input?.again ?? false;
        if (token === null) {
          const { act, session } = await ctx.sessionCaller();
          return toMailSent(await verification.ask({ act, userId: session.user_id, sid: session.sid }, again));
        }
        const { act } = await ctx.flowCaller();
        const { userId } = await identity.secondFactors.find(token, act.application, "setup");
        return toMailSent(await verification.ask({ act: act.by(userRef(userId)), userId, sid: null }, again));
      }),
    verify: procedures
      .public({
        summary: "Prove an address with the mail's link or code.",
        description:
          "Takes `token` (the part after `#` in the link), or `flow_id` and `code`. Five wrong codes end the flow. Needs a " +
          "session of the account that asked, by its cookies or as Bearer, or the `mfa_token` of a sign-in that must set up a " +
          "second factor. Without it the answer is `asking_session_required`, and the proof stays good.",
        output: z.strictObject({ status: z.literal("success"), email: z.string() }),
        errors: ["invalid_code", "asking_session_required", "conflict", "forbidden", "origin_not_allowed"],
        rest: { method: "POST", path: "/v1/auth/email/verify" },
        example: {
          input: { flow_id: exampleMailSent.flow_id, code: "1234 5678" },
          output: { status: "success", email: "ada@work.example.com" },
        },
      })
      .input(withProof(z.strictObject({ ...proofInput, mfa_token: mfaToken })))
      .mutation(async ({ ctx, input }) => {
        const { mfa_token: token, ...proof } = input;
        const sid = await presentedSession(identity, ctx.call, ctx);
        const mfaFlow = token ? await identity.secondFactors.find(token, ctx.act.application, "setup") : null;
        return {
          status: "success" as const,
          email: await verification.verify(ctx.act, proofOf(proof), { sid, mfaFlow }),
        };
      }),
    undo: procedures
      .public({
        summary: "Undo a change of address, with the link in the mail to the old address.",
        description:
          "The old address becomes the primary one again, and everybody is signed out. The password and everything that was " +
          "added since the change is deleted, and each address that was proven less than a week before it. A mail to the old address leads to a new password.",
        output: z.strictObject({ status: z.literal("success") }),
        errors: ["invalid_code", "conflict", "origin_not_allowed"],
        rest: { method: "POST", path: "/v1/auth/email/undo" },
        example: { input: { token: "sally_ml_…" }, output: { status: "success" } },
      })
      .input(z.strictObject({ token: z.string().min(1).max(200).describe("The part after `#` in the link.") }))
      .mutation(async ({ ctx, input }) => {
        await undo.undo(ctx.act, input.token);
        return { status: "success" as const };
      }),
  };
  return { auth: { email } };
}
