import { z } from "zod";
import { proofInput, proofOf } from "../../identity/email-proofs/proofs.ts";
import { exampleMailSent } from "../../identity/sessions/wire.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import type { Undo } from "./undo.ts";
import type { Verification } from "./verification.ts";

/** What the links of mails about addresses lead to, for anybody who holds one. */
export function proofRouter(procedures: Procedures, verification: Verification, undo: Undo) {
  const email = {
    verify: procedures
      .public({
        summary: "Prove an address with the mail's link or code.",
        description:
          "Takes `token` (behind the `#` of the link), or `flow_id` and `code`; five wrong codes end the flow.",
        output: z.strictObject({ status: z.literal("success"), email: z.string() }),
        errors: ["invalid_code", "conflict", "origin_not_allowed"],
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
        summary: "Undo a change of address, with the link that the old one was mailed.",
        description:
          "The old address is the only one again, everybody is signed out, the password and what was added since the " +
          "change is gone, and a mail to the old address leads to a new password.",
        output: z.strictObject({ status: z.literal("success") }),
        errors: ["invalid_code", "conflict", "origin_not_allowed"],
        rest: { method: "POST", path: "/v1/auth/email/undo" },
        example: { input: { token: "sally_ml_…" }, output: { status: "success" } },
      })
      .input(z.strictObject({ token: z.string().min(1).max(200).describe("Behind the `#` of the link.") }))
      .mutation(async ({ ctx, input }) => {
        await undo.undo(ctx.act, input.token);
        return { status: "success" as const };
      }),
  };
  return { auth: { email } };
}
