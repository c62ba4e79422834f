import { AppError } from "../../core/errors.ts";
import { REVOCABLE_KINDS } from "../../core/feature.ts";
import * as z from "../../core/zod.ts";
import { proofInput, proofOf, withProof } from "../../identity/email-proofs/proofs.ts";
import type { Identity } from "../../identity/identity.ts";
import { exampleMailSent, mailSentSchema } from "../../identity/sessions/wire.ts";
import { presentedSession } from "../../rpc/presented.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import type { Recovery } from "./recovery.ts";
import type { Passwords } from "./service.ts";
import { emailInput as email, passwordInput as password, toMailSent } from "./wire.ts";

const success = z.strictObject({ status: z.literal("success") });
const resetDone = success.extend({
  removed: z
    .array(z.enum(REVOCABLE_KINDS))
    .describe("The kinds of credentials from before the address was first proven. They were deleted."),
});
const done = { status: "success" } as const;

/** The procedures that change a password by the current one or by mail, and set the first one. */
export function newPasswordRouter(
  identity: Pick<Identity, "accessTokens" | "refreshService">,
  procedures: Procedures,
  passwords: Passwords,
  recovery: Recovery,
) {
  const ofAuth = {
    change: procedures
      .provenSession(
        { fresh: true },
        {
          summary: "Change the caller's own password. Ends the user's other sessions.",
          description: "Needs a fresh sign-in, and a second factor if the user has one.",
          output: success,
          errors: ["invalid_credentials", "conflict", "insufficient_user_authentication"],
          rest: { method: "POST", path: "/v1/auth/password/change" },
          example: {
            input: { current_password: "five tame otters hum at dawn", new_password: "four other words entirely" },
            output: { status: "success" },
          },
        },
      )
      .input(z.strictObject({ current_password: password, new_password: password }))
      .mutation(async ({ ctx, input }) => {
        if (input.current_password === input.new_password) {
          const details = [{ path: "new_password", reason: "is the current password" }];
          throw new AppError("invalid_input", { details });
        }
        const { current_password: current, new_password: next } = input;
        await passwords.change(ctx, { current, next });
        return { status: "success" as const };
      }),
    forgot: procedures
      .public({
        summary: "Ask for a mail that leads to a new password.",
        description: "The answer is the same whether or not there is an account.",
        output: mailSentSchema,
        errors: ["forbidden", "origin_not_allowed"],
        rest: { method: "POST", path: "/v1/auth/password/forgot", status: 202 },
        example: { input: { email: "ada@example.com" }, output: exampleMailSent },
      })
      .input(z.strictObject({ email }))
      .mutation(async ({ ctx, input }) => toMailSent(await recovery.forgot(ctx.act, input.email))),
    reset: procedures
      .public({
        summary: "Set a new password with the mailed link or code.",
        description:
          "Ends all of the user's sessions and proves the address. It signs nobody in: a second factor is asked for as " +
          "before. If the address was never proven, everything that was added before is deleted, and `removed` names it. A " +
          "reset beside a live session of the same account deletes nothing.",
        output: resetDone,
        errors: ["invalid_code", "forbidden", "origin_not_allowed"],
        rest: { method: "POST", path: "/v1/auth/password/reset" },
        example: {
          input: { token: "sally_ml_…", new_password: "four other words entirely" },
          output: { ...done, removed: [] },
        },
      })
      .input(withProof(z.strictObject({ ...proofInput, new_password: password })))
      .mutation(async ({ ctx, input }) => {
        const sid = await presentedSession(identity, ctx.call, ctx);
        const reset = { proof: proofOf(input), password: input.new_password, sid };
        const { visit, removed } = await recovery.reset(ctx.act, reset);
        const { application } = ctx.act;
        ctx.call.reply.cookies.push({ kind: "device", application, secret: visit.secret, maxAge: visit.maxAge });
        return { ...done, removed: [...removed] };
      }),
  };
  const ofMe = {
    set: procedures
      .provenSession(
        { fresh: true },
        {
          summary: "Set the first password of a user without one. Ends the user's other sessions.",
          description:
            "A user without an address answers `forbidden`: a sign-in by password names an address. An anonymous user sets one with " +
            "an address instead: `POST /v1/auth/anonymous/upgrade`.",
          output: success,
          errors: ["conflict", "forbidden"],
          rest: { method: "POST", path: "/v1/me/password" },
          example: { input: { new_password: "four other words entirely" }, output: done },
        },
      )
      .input(z.strictObject({ new_password: password }))
      .mutation(async ({ ctx, input }) => {
        await passwords.set(ctx, input.new_password);
        return done;
      }),
  };
  return { auth: { password: ofAuth }, me: { password: ofMe } };
}
