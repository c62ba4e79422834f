import * as z from "../../core/zod.ts";
import { proofInput, proofOf } from "../../identity/email-proofs/proofs.ts";
import { exampleMailSent } from "../../identity/sessions/wire.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import type { Undo } from "./undo.ts";
import type { Verification } from "./verification.ts";

/** The procedures behind the links in mails about addresses. Anyone who holds the link may call them. */
export function proofRouter(procedures: Procedures, verification: Verification, undo: Undo) {
  const email = {
    verify: procedures
      .public({
        summary: "Prove an address with the mail's link or code.",
        description:
          "Takes `token` (the part after `#` in the link), or `flow_id` and `code`. Five wrong codes end the flow.",
        output: z.strictObject({ status: z.literal("success"), email: z.string() }),
        errors: ["invalid_code", "conflict", "forbidden", "origin_not_allowed"],
        rest: { method: "POST", path: "/v1/auth/email/verify" },
        example: {
          input: { flow_id: exampleMailSent.flow_id, code: "1234 5678" },
          output: { status: "success", email: "ada@work.example.com" },
        },
      })
      .input(z.strictObject(proofInput))
      .mutation(async ({ ctx, input }) => ({
        status: "success" as const,
        email: await verification.verify(ctx.act, proofOf(input)),
      })),
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
