import * as z from "../../core/zod.ts";
import { exampleMailSent, mailSentSchema } from "../../identity/sessions/wire.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import { idInput, pageInput, pageOf } from "../../rpc/schemas.ts";
import type { Addresses } from "./service.ts";
import { emailSchema, exampleEmail, toMailSent } from "./wire.ts";

const byId = z.strictObject({ id: idInput("email").describe("The address's id, in either form.") });
const exampleId = "eml_01HWY4W6SCFMZ8YG2H8WWBG1E6";
const FRESH = { fresh: true } as const;

/** The procedures by which a person manages their own addresses. */
export function addressRouter(procedures: Procedures, addresses: Addresses) {
  const emails = {
    list: procedures
      .session({
        summary: "List the caller's own addresses, oldest first.",
        output: pageOf(emailSchema),
        errors: [],
        rest: { method: "GET", path: "/v1/me/emails" },
        example: { output: { data: [exampleEmail], next_cursor: null } },
      })
      .input(z.strictObject(pageInput("email")).optional())
      .query(({ ctx, input }) => addresses.list(ctx, input?.limit ?? 20, input?.cursor ?? null)),
    add: procedures
      .provenSession(FRESH, {
        summary: "Add an address. It joins the list once the mailed link or code has proven it.",
        description:
          "The answer is the same whether or not another account has the address. An account has at most 10. Proven by " +
          "`POST /v1/auth/email/verify`.",
        output: mailSentSchema,
        errors: ["conflict", "forbidden"],
        rest: { method: "POST", path: "/v1/me/emails", status: 202 },
        example: { input: { email: "ada@work.example.com" }, output: exampleMailSent },
      })
      .input(z.strictObject({ email: z.string().min(1).max(1016).describe("One e-mail address.") }))
      .mutation(async ({ ctx, input }) => toMailSent(await addresses.add(ctx, input.email))),
    verify: procedures
      .session({
        summary: "Send (again) the mail that proves an address on the list.",
        output: mailSentSchema,
        errors: ["not_found", "conflict"],
        rest: { method: "POST", path: "/v1/me/emails/{id}/verify", status: 202 },
        example: { input: { id: exampleId }, output: exampleMailSent },
      })
      .input(byId)
      .mutation(async ({ ctx, input }) => toMailSent(await addresses.verify(ctx, input.id))),
    makePrimary: procedures
      .provenSession(FRESH, {
        summary: "Make a verified address the primary one.",
        description:
          "Both addresses get a mail. The previous primary address may undo the change for 7 days, unless it joined the " +
          "account after the new one, or the new one was proven a week before the change. A previous primary address that was never proven leaves the list.",
        output: emailSchema,
        errors: ["not_found", "conflict"],
        rest: { method: "POST", path: "/v1/me/emails/{id}/primary" },
        example: { input: { id: exampleId }, output: exampleEmail },
      })
      .input(byId)
      .mutation(({ ctx, input }) => addresses.makePrimary(ctx, input.id)),
    remove: procedures
      .provenSession(FRESH, {
        summary: "Remove an address that is not the primary one.",
        output: z.strictObject({ status: z.literal("success") }),
        errors: ["not_found", "conflict"],
        rest: { method: "DELETE", path: "/v1/me/emails/{id}" },
        example: { input: { id: exampleId }, output: { status: "success" } },
      })
      .input(byId)
      .mutation(async ({ ctx, input }) => {
        await addresses.remove(ctx, input.id);
        return { status: "success" as const };
      }),
  };
  return { me: { emails } };
}
