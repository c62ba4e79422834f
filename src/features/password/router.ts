import { z } from "zod";
import { AppError } from "../../core/errors.ts";
import type { Identity } from "../../identity/identity.ts";
import { exampleTokens, signInSchema, signUpSchema } from "../../identity/sessions/wire.ts";
import { deliverOutcome } from "../../rpc/deliver.ts";
import { presentedSession } from "../../rpc/presented.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import { lineOfText, metadataInput } from "../../rpc/schemas.ts";
import type { Passwords } from "./service.ts";

const email = z.string().min(1).max(1016).describe("One e-mail address.");
// What is longer than any password is refused before it is normalised; the policy says the exact limits.
const password = z.string().min(1).max(4096);
const delivery = z
  .enum(["cookie", "memory"])
  .default("cookie")
  .describe("`memory` sets no access cookie: the access token is in the body only.");
const success = z.strictObject({ status: z.literal("success") });

export function passwordRouter(identity: Identity, procedures: Procedures, passwords: Passwords) {
  const auth = {
    register: procedures
      .public({
        summary: "Sign a new person up with an address and a password, and in.",
        description: "A known address is answered 409: sign-up by password alone tells who has an account.",
        output: signUpSchema,
        errors: ["conflict", "forbidden", "origin_not_allowed"],
        rest: { method: "POST", path: "/v1/auth/register", status: 201, also: 202 },
        example: {
          input: { email: "ada@example.com", password: "correct horse battery staple", display_name: "Ada" },
          output: exampleTokens,
        },
      })
      .input(
        z.strictObject({
          email,
          password,
          display_name: lineOfText(200).nullish(),
          metadata: metadataInput.optional(),
          delivery,
        }),
      )
      .mutation(async ({ ctx, input }) =>
        deliverOutcome(
          ctx.call,
          await passwords.register({
            application: ctx.application,
            origin: ctx.origin,
            email: input.email,
            password: input.password,
            displayName: input.display_name ?? null,
            metadata: input.metadata ?? {},
            delivery: input.delivery,
            replaces: await presentedSession(identity, ctx.call, ctx),
          }),
        ),
      ),
    login: procedures
      .public({
        summary: "Sign a person in with an address and a password.",
        output: signInSchema,
        errors: ["invalid_credentials", "forbidden", "origin_not_allowed"],
        rest: { method: "POST", path: "/v1/auth/login" },
        example: {
          input: { email: "ada@example.com", password: "correct horse battery staple" },
          output: exampleTokens,
        },
      })
      .input(
        z.strictObject({
          email,
          password,
          organization: z.string().min(1).max(100).nullish().describe("An organization that the user is a member of."),
          audience: z.string().min(1).max(255).nullish().describe("One of the application's audiences."),
          delivery,
          trusted_device: z
            .string()
            .min(1)
            .max(200)
            .nullish()
            .describe("What an earlier sign-in answered; else its cookie."),
        }),
      )
      .mutation(async ({ ctx, input }) =>
        deliverOutcome(
          ctx.call,
          await passwords.signIn({
            application: ctx.application,
            origin: ctx.origin,
            email: input.email,
            password: input.password,
            organization: input.organization ?? null,
            audience: input.audience ?? null,
            delivery: input.delivery,
            replaces: await presentedSession(identity, ctx.call, ctx),
            trustedDevice: input.trusted_device ?? ctx.call.cookies(ctx.application).device,
          }),
        ),
      ),
    password: {
      change: procedures
        .session({
          summary: "Change one's own password. Ends the user's other sessions.",
          output: success,
          errors: ["invalid_credentials", "conflict"],
          rest: { method: "POST", path: "/v1/auth/password/change" },
          example: {
            input: { current_password: "correct horse battery staple", new_password: "four other words entirely" },
            output: { status: "success" },
          },
        })
        .input(z.strictObject({ current_password: password, new_password: password }))
        .mutation(async ({ ctx, input }) => {
          if (input.current_password === input.new_password) {
            const details = [{ path: "new_password", reason: "is the current password" }];
            throw new AppError("invalid_input", { details });
          }
          const { application, origin, session } = ctx;
          const { current_password: current, new_password: next } = input;
          await passwords.change({ application, origin, session, current, next });
          return { status: "success" as const };
        }),
    },
  };
  return { auth };
}
