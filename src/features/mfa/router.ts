import * as z from "../../core/zod.ts";
import { userRef } from "../../identity/audit/act.ts";
import type { Identity } from "../../identity/identity.ts";
import { exampleTokens, tokensSchema, type WireTokens } from "../../identity/sessions/wire.ts";
import type { SignInOutcome } from "../../identity/sign-in/sign-ins.ts";
import type { Call } from "../../rpc/call.ts";
import { deliverOutcome } from "../../rpc/deliver.ts";
import type { FlowOrSession } from "../../rpc/gate.ts";
import { presentedSession } from "../../rpc/presented.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import type { FactorChanges } from "./changes.ts";
import type { Prover, SecondFactorService } from "./service.ts";

const success = z.strictObject({ status: z.literal("success") });
const mfaToken = z
  .string()
  .min(1)
  .max(2048)
  .nullish()
  .describe("The token that the sign-in answered with `mfa_required`. Without it the call needs a session.");
const rememberDevice = z
  .boolean()
  .default(false)
  .describe("Do not ask this device for a second factor again, for as long as the application allows.");
const recoveryCodes = z.array(z.string()).length(10).describe("Shown only once. Each code works once.");
const exampleCodes = Array.from({ length: 10 }, (_, i) => `7Q4MZ-K2D8T-0VXRB-N6YHW-3C5J${i}`);
const EXAMPLE_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const EXAMPLE_TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6…";

/** Finds the user of an MFA token or of a session. If there is a token, it alone counts: a session beside it adds no rights. */
async function proverOf(
  identity: Pick<Identity, "accessTokens" | "refreshService" | "secondFactors">,
  ctx: FlowOrSession & { call: Call },
  token: string | null | undefined,
  step: "setup" | "proof",
): Promise<Prover> {
  if (token === null || token === undefined) {
    const caller = await ctx.sessionCaller(step === "setup" ? { fresh: true } : {});
    const { act, session } = caller;
    return { act, userId: session.user_id, session };
  }
  const caller = await ctx.flowCaller();
  const flow = await identity.secondFactors.find(token, caller.act.application, step);
  const replaces = await presentedSession(identity, ctx.call, caller);
  return { act: caller.act.by(userRef(flow.userId)), userId: flow.userId, flow, replaces };
}

/** Turns the outcome into tokens: after the last factor there is nothing left to ask for. */
function delivered(call: Call, outcome: SignInOutcome): WireTokens {
  const answer = deliverOutcome(call, outcome);
  if (answer.status !== "success") throw new Error("a second factor was asked for after the second factor");
  return answer;
}

/** An answer of one method. Without it nothing is checked, so that it does not count as a try. */
const factorAnswer = z
  .strictObject({
    mfa_token: mfaToken,
    method: z.enum(["totp", "recovery_code", "passkey"]),
    code: z
      .string()
      .min(1)
      .max(64)
      .nullish()
      .describe("For `totp` and `recovery_code`. Spaces, hyphens and case do not count."),
    flow_id: z.string().min(1).max(64).nullish().describe("For `passkey`: the `flow_id` of the challenge."),
    response: z.record(z.string(), z.unknown()).nullish().describe("For `passkey`: the answer of the browser."),
    remember_device: rememberDevice,
  })
  .refine(({ method, code }) => method === "passkey" || typeof code === "string", {
    path: ["code"],
    message: "is needed for this method",
  })
  .refine(({ method, response }) => method !== "passkey" || response != null, {
    path: ["response"],
    message: "is needed for this method",
  })
  .meta({
    oneOf: [
      { properties: { method: { const: "passkey" }, response: { type: "object" } }, required: ["response"] },
      { properties: { method: { enum: ["totp", "recovery_code"] }, code: { type: "string" } }, required: ["code"] },
    ],
  });

export function mfaRouter(
  identity: Pick<Identity, "accessTokens" | "refreshService" | "secondFactors">,
  procedures: Procedures,
  service: SecondFactorService,
  changes: FactorChanges,
) {
  const mfa = {
    setup: procedures
      .flowOrSession({
        summary: "Begin the set-up of an authenticator app.",
        description:
          "Needs a session from the last minutes, or the MFA token of a sign-in that answered `setup_required`. The secret " +
          "is shown once. It counts when `enable` gets a code of it within ten minutes; until then the app in use goes on.",
        output: z.strictObject({
          secret: z.string().describe("Base32, for an app that cannot read the picture."),
          otpauth_uri: z.string().describe("For a link on the device with the app."),
          qr_svg: z.string().describe("The `otpauth_uri` as a picture."),
        }),
        errors: ["forbidden", "address_unproven", "insufficient_user_authentication"],
        rest: { method: "POST", path: "/v1/auth/mfa/setup" },
        example: {
          input: {},
          output: {
            secret: EXAMPLE_SECRET,
            otpauth_uri:
              `otpauth://totp/My%20application:ada%40example.com?secret=${EXAMPLE_SECRET}` +
              "&issuer=My%20application&algorithm=SHA1&digits=6&period=30",
            qr_svg: '<svg xmlns="http://www.w3.org/2000/svg" …',
          },
        },
      })
      .input(z.strictObject({ mfa_token: mfaToken }).optional())
      .mutation(async ({ ctx, input }) =>
        service.setUp(await proverOf(identity, ctx, input?.mfa_token ?? null, "setup")),
      ),
    enable: procedures
      .flowOrSession({
        summary: "Finish the set-up of an authenticator app with a code from it.",
        description:
          "Answers ten recovery codes, which replace all earlier ones, and a session under a new id. The user's other " +
          "sessions end.",
        output: tokensSchema.extend({ recovery_codes: recoveryCodes }),
        errors: ["forbidden", "address_unproven"],
        rest: { method: "POST", path: "/v1/auth/mfa/enable" },
        example: { input: { code: "287082" }, output: { ...exampleTokens, recovery_codes: exampleCodes } },
      })
      .input(
        z.strictObject({
          code: z.string().min(1).max(32).describe("The code that the app shows. Spaces and hyphens do not count."),
          mfa_token: mfaToken,
          remember_device: rememberDevice,
        }),
      )
      .mutation(async ({ ctx, input }) => {
        // A fresh sign-in began the set-up, and only the flow or session that began it can finish it.
        const prover = input.mfa_token
          ? await proverOf(identity, ctx, input.mfa_token, "setup")
          : await proverOf(identity, ctx, null, "proof");
        const { outcome, codes } = await service.enable(prover, input.code, input.remember_device);
        return { ...delivered(ctx.call, outcome), recovery_codes: codes };
      }),
    challenge: procedures
      .flowOrSession({
        summary: "List the second factors that would do, with the challenge for a passkey.",
        output: z.strictObject({
          methods: z.array(z.string()),
          passkey: z
            .strictObject({
              flow_id: z.string(),
              public_key: z.record(z.string(), z.unknown()).describe("PublicKeyCredentialRequestOptionsJSON."),
            })
            .nullable()
            .describe("For `navigator.credentials.get`; null if the user has no passkey."),
        }),
        errors: [],
        rest: { method: "POST", path: "/v1/auth/mfa/challenge" },
        example: {
          input: { mfa_token: EXAMPLE_TOKEN },
          output: { methods: ["totp", "recovery_code"], passkey: null },
        },
      })
      .input(z.strictObject({ mfa_token: mfaToken }).optional())
      .mutation(async ({ ctx, input }) =>
        service.challenge(await proverOf(identity, ctx, input?.mfa_token ?? null, "proof")),
      ),
    verify: procedures
      .flowOrSession({
        summary: "Prove a second factor, to finish a sign-in or to step a session up.",
        description:
          "With an MFA token it finishes the sign-in. With a session it is a step-up: the session becomes `aal2` under a " +
          "new id. A TOTP code works once: the same code again is `code_used`, and costs no try.",
        output: tokensSchema,
        errors: ["forbidden", "code_used"],
        rest: { method: "POST", path: "/v1/auth/mfa/verify" },
        example: {
          input: { mfa_token: EXAMPLE_TOKEN, method: "totp", code: "287082" },
          output: exampleTokens,
        },
      })
      .input(factorAnswer)
      .mutation(async ({ ctx, input }) => {
        const prover = await proverOf(identity, ctx, input.mfa_token ?? null, "proof");
        const outcome = await service.verify(prover, {
          method: input.method,
          code: input.code ?? null,
          flowId: input.flow_id ?? null,
          response: input.response ?? null,
          rememberDevice: input.remember_device,
        });
        return delivered(ctx.call, outcome);
      }),
    recoveryCodes: procedures
      .provenSession(
        { fresh: true },
        {
          summary: "Make ten new recovery codes, which replace all earlier ones.",
          output: z.strictObject({ recovery_codes: recoveryCodes }),
          errors: ["conflict", "address_unproven"],
          rest: { method: "POST", path: "/v1/auth/mfa/recovery-codes" },
          example: { output: { recovery_codes: exampleCodes } },
        },
      )
      .mutation(async ({ ctx }) => ({ recovery_codes: await changes.renewCodes(ctx) })),
    disable: procedures
      .provenSession(
        { fresh: true },
        {
          summary: "Remove the authenticator app and the recovery codes. Ends the user's other sessions.",
          output: success,
          errors: ["conflict", "forbidden"],
          rest: { method: "POST", path: "/v1/auth/mfa/disable" },
          example: { output: { status: "success" } },
        },
      )
      .mutation(async ({ ctx }) => {
        await changes.removeTotp(ctx);
        return { status: "success" as const };
      }),
  };
  return { auth: { mfa } };
}
