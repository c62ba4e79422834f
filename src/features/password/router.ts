import { lineOfText } from "../../core/text.ts";
import * as z from "../../core/zod.ts";
import { proofInput, proofOf, withProof } from "../../identity/email-proofs/proofs.ts";
import type { Identity } from "../../identity/identity.ts";
import { exampleMailSent, exampleTokens, signInSchema, signUpSchema } from "../../identity/sessions/wire.ts";
import type { Call } from "../../rpc/call.ts";
import { deliverOutcome } from "../../rpc/deliver.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import { metadataInput } from "../../rpc/schemas.ts";
import { deliveryInput, signInInput, signInRequest } from "../../rpc/sign-in-input.ts";
import type { Registrations, SignUpOutcome } from "./registration.ts";
import type { Passwords } from "./service.ts";
import { emailInput as email, passwordInput as password, toMailSent } from "./wire.ts";

/** Sign-up and sign-in. */
export function passwordRouter(
  identity: Pick<Identity, "accessTokens" | "refreshService">,
  procedures: Procedures,
  passwords: Passwords,
  registrations: Registrations,
) {
  const auth = {
    register: procedures
      .public({
        summary: "Sign up a new person with an address and a password, and sign the person in.",
        description:
          "A known address is answered 409: this tells whether an account has the address. If the application asks for " +
          "proven addresses (`sign_up` is `verified`), the answer is always 202 and a mail, and no user is created before " +
          "`POST /v1/auth/register/complete`, which takes the password. A password that is sent here is then only checked.",
        output: signUpSchema,
        errors: ["conflict", "forbidden", "origin_not_allowed"],
        rest: { method: "POST", path: "/v1/auth/register", status: 201, also: 202 },
        example: {
          input: { email: "ada@example.com", password: "five tame otters hum at dawn", display_name: "Ada" },
          output: exampleTokens,
        },
      })
      .input(
        z.strictObject({
          email,
          password: password.nullish().describe("Needed unless `sign_up` is `verified`."),
          display_name: lineOfText(200).nullish(),
          metadata: metadataInput.optional(),
          delivery: deliveryInput,
        }),
      )
      .mutation(async ({ ctx, input }) =>
        deliverSignUp(
          ctx.call,
          await registrations.register(await signInRequest(identity, ctx, input), applicantOf(input)),
        ),
      ),
    completeRegistration: procedures
      .public({
        summary: "Complete a sign-up with the mailed link or code, and sign in.",
        description:
          "Takes the new account's `password`, and `token` (the part after `#` in the link), or `flow_id` and `code`. Five " +
          "wrong codes end the flow. The upgrade of an anonymous user also needs that user's session; without it the answer " +
          "is `asking_session_required`, and the proof stays good.",
        output: signInSchema,
        errors: ["invalid_code", "asking_session_required", "conflict", "forbidden", "origin_not_allowed"],
        rest: { method: "POST", path: "/v1/auth/register/complete", status: 201 },
        example: {
          input: { flow_id: exampleMailSent.flow_id, code: "1234 5678", password: "five tame otters hum at dawn" },
          output: exampleTokens,
        },
      })
      .input(withProof(z.strictObject({ ...proofInput, password, delivery: deliveryInput })))
      .mutation(async ({ ctx, input }) => {
        const { password: chosen, delivery, ...proof } = input;
        const request = await signInRequest(identity, ctx, { delivery });
        return deliverOutcome(ctx.call, await registrations.complete(request, proofOf(proof), chosen));
      }),
    upgrade: procedures
      .session({
        summary: "Give an anonymous user an address and a password. The id stays; the session goes on under a new one.",
        description:
          "If the application asks for proven addresses, the answer is 202 and a mail, and `POST /v1/auth/register/complete` " +
          "upgrades the user.",
        output: signUpSchema,
        errors: ["conflict", "forbidden", "invalid_credentials"],
        rest: { method: "POST", path: "/v1/auth/anonymous/upgrade", also: 202 },
        example: {
          input: { email: "ada@example.com", password: "five tame otters hum at dawn" },
          output: exampleTokens,
        },
      })
      .input(
        z.strictObject({
          email,
          password: password.nullish().describe("Needed unless `sign_up` is `verified`."),
          display_name: lineOfText(200).nullish(),
          delivery: deliveryInput,
        }),
      )
      .mutation(async ({ ctx, input }) =>
        deliverSignUp(
          ctx.call,
          await registrations.upgrade(await signInRequest(identity, ctx, input), ctx.session, applicantOf(input)),
        ),
      ),
    login: procedures
      .public({
        summary: "Sign in with an address and a password.",
        output: signInSchema,
        errors: ["invalid_credentials", "factor_elsewhere", "forbidden", "origin_not_allowed"],
        rest: { method: "POST", path: "/v1/auth/login" },
        example: {
          input: { email: "ada@example.com", password: "five tame otters hum at dawn" },
          output: exampleTokens,
        },
      })
      .input(
        z.strictObject({
          email,
          password,
          ...signInInput,
        }),
      )
      .mutation(async ({ ctx, input }) =>
        deliverOutcome(ctx.call, await passwords.signIn(await signInRequest(identity, ctx, input), input)),
      ),
  };
  return { auth };
}

interface SignUpInput {
  email: string;
  password?: string | null | undefined;
  display_name?: string | null | undefined;
  metadata?: Record<string, unknown> | undefined;
}

function applicantOf({ email, password, display_name, metadata }: SignUpInput) {
  return { email, password: password ?? null, displayName: display_name ?? null, metadata: metadata ?? {} };
}

function deliverSignUp(call: Call, outcome: SignUpOutcome) {
  if (outcome.status !== "sent") return deliverOutcome(call, outcome);
  call.reply.status = 202;
  return toMailSent(outcome.proof);
}
