import * as z from "../../core/zod.ts";
import type { Identity } from "../../identity/identity.ts";
import { exampleTokens, signInSchema } from "../../identity/sessions/wire.ts";
import { deliverOutcome } from "../../rpc/deliver.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import { idInput, pageInput, pageOf } from "../../rpc/schemas.ts";
import { signInInput, signInRequest } from "../../rpc/sign-in-input.ts";
import type { Passkeys } from "./service.ts";
import type { PasskeySignIns } from "./sign-ins.ts";
import {
  assertionSchema,
  creationOptionsSchema,
  examplePasskey,
  passkeyName,
  passkeySchema,
  registrationSchema,
  requestOptionsSchema,
} from "./wire.ts";

const success = z.strictObject({ status: z.literal("success") });
const byId = z.strictObject({ id: idInput("passkey").describe("The passkey's id, in either form.") });
const flowId = z.string().min(1).max(64).describe("The `flow_id` of the challenge.");
const expiresIn = z.int().describe("Seconds until the challenge expires.");
const exampleId = "psk_01HWY4W3JCFNFSYR3H952G5HE6";
const exampleFlow = "018f3c4d-2a3b-7c4d-8e5f-60718293a4b5";
const exampleChallenge = "q1ZqYlRCN2tMcG9XcXlNUnZ3c2JhZ2hUeXVJb1BhU2Q";
const exampleCredential = { id: "wYhZ6bAf0b3m4dSg", rawId: "wYhZ6bAf0b3m4dSg", type: "public-key" as const };
const clientDataJSON = "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0";

export function passkeysRouter(
  identity: Pick<Identity, "accessTokens" | "refreshService">,
  procedures: Procedures,
  passkeys: Passkeys,
  signIns: PasskeySignIns,
) {
  const auth = {
    passkey: {
      begin: procedures
        .public({
          summary: "Ask for a challenge to sign in with a passkey.",
          description:
            "Needs no name: the person chooses among the passkeys that the browser offers, in its own dialogue or in the " +
            "suggestions of the name field (conditional mediation).",
          output: z.strictObject({ flow_id: z.uuid(), public_key: requestOptionsSchema, expires_in: expiresIn }),
          errors: ["forbidden", "origin_not_allowed"],
          rest: { method: "POST", path: "/v1/auth/passkey/login/begin" },
          example: {
            input: {},
            output: {
              flow_id: exampleFlow,
              public_key: {
                challenge: exampleChallenge,
                rpId: "example.com",
                allowCredentials: [],
                timeout: 600_000,
                userVerification: "preferred",
              },
              expires_in: 600,
            },
          },
        })
        .input(z.strictObject({}).optional())
        .mutation(async ({ ctx }) => {
          const begun = await signIns.begin(ctx.act);
          return { flow_id: begun.flowId, public_key: begun.publicKey, expires_in: begun.expiresIn };
        }),
      complete: procedures
        .public({
          summary: "Sign in with a passkey.",
          description:
            "A passkey that verified its owner (PIN, finger, face) counts as two factors: `aal2`. Otherwise it counts as one " +
            "factor, and the application's policy decides whether to ask for another.",
          output: signInSchema,
          errors: ["invalid_code", "invalid_credentials", "forbidden", "origin_not_allowed"],
          rest: { method: "POST", path: "/v1/auth/passkey/login/complete" },
          example: {
            input: {
              flow_id: exampleFlow,
              response: {
                ...exampleCredential,
                response: {
                  clientDataJSON,
                  authenticatorData: "SZYN5YgO",
                  signature: "MEUCIQDx",
                  userHandle: "AY88Sns",
                },
              },
            },
            output: exampleTokens,
          },
        })
        .input(
          z.strictObject({
            flow_id: flowId,
            response: assertionSchema,
            ...signInInput,
          }),
        )
        .mutation(async ({ ctx, input }) =>
          deliverOutcome(
            ctx.call,
            await signIns.complete(await signInRequest(identity, ctx, input), {
              flowId: input.flow_id,
              response: input.response,
            }),
          ),
        ),
    },
  };
  const me = {
    passkeys: {
      list: procedures
        .session({
          summary: "List the caller's own passkeys, oldest first.",
          output: pageOf(passkeySchema),
          errors: [],
          rest: { method: "GET", path: "/v1/me/passkeys" },
          example: { output: { data: [examplePasskey], next_cursor: null } },
        })
        .input(z.strictObject(pageInput("passkey")).optional())
        .query(({ ctx, input }) => passkeys.list(ctx, input?.limit ?? 20, input?.cursor ?? null)),
      begin: procedures
        .provenSession(
          { fresh: true },
          {
            summary: "Ask for a challenge to add a passkey.",
            output: z.strictObject({ flow_id: z.uuid(), public_key: creationOptionsSchema, expires_in: expiresIn }),
            errors: [
              "conflict",
              "forbidden",
              "address_unproven",
              "origin_not_allowed",
              "insufficient_user_authentication",
            ],
            rest: { method: "POST", path: "/v1/me/passkeys/begin" },
            example: {
              input: {},
              output: {
                flow_id: exampleFlow,
                public_key: {
                  rp: { id: "example.com", name: "My application" },
                  user: { id: "AY88Snsufbyei__ysd9L1g", name: "ada@example.com", displayName: "Ada" },
                  challenge: exampleChallenge,
                  pubKeyCredParams: [{ type: "public-key", alg: -7 }],
                  timeout: 600_000,
                  excludeCredentials: [],
                  authenticatorSelection: {
                    residentKey: "required",
                    requireResidentKey: true,
                    userVerification: "preferred",
                  },
                  attestation: "none",
                  extensions: { credProps: true },
                },
                expires_in: 600,
              },
            },
          },
        )
        .input(z.strictObject({}).optional())
        .mutation(async ({ ctx }) => {
          const begun = await passkeys.begin(ctx);
          return { flow_id: begun.flowId, public_key: begun.publicKey, expires_in: begun.expiresIn };
        }),
      complete: procedures
        .provenSession(
          { fresh: true },
          {
            summary: "Add a passkey.",
            output: passkeySchema,
            errors: [
              "invalid_code",
              "conflict",
              "forbidden",
              "address_unproven",
              "origin_not_allowed",
              "insufficient_user_authentication",
            ],
            rest: { method: "POST", path: "/v1/me/passkeys/complete", status: 201 },
            example: {
              input: {
                flow_id: exampleFlow,
                response: { ...exampleCredential, response: { clientDataJSON, attestationObject: "o2NmbXRkbm9uZQ" } },
                name: "Apple Passwords",
              },
              output: examplePasskey,
            },
          },
        )
        .input(
          z.strictObject({
            flow_id: flowId,
            response: registrationSchema,
            name: passkeyName.nullish().describe("Default: the name of its provider, or of the device that made it."),
          }),
        )
        .mutation(({ ctx, input }) =>
          passkeys.complete(ctx, { flowId: input.flow_id, response: input.response, name: input.name ?? null }),
        ),
      rename: procedures
        .session({
          summary: "Rename one of the caller's own passkeys.",
          output: passkeySchema,
          errors: ["not_found"],
          rest: { method: "PATCH", path: "/v1/me/passkeys/{id}" },
          example: { input: { id: exampleId, name: "The blue key" }, output: examplePasskey },
        })
        .input(byId.extend({ name: passkeyName }))
        .mutation(({ ctx, input }) => passkeys.rename(ctx, input.id, input.name)),
      remove: procedures
        .provenSession(
          { fresh: true },
          {
            summary: "Remove one of the caller's own passkeys. Ends the user's other sessions.",
            description: "The last way to sign in cannot be removed: 409 says what to add first.",
            output: success,
            errors: ["not_found", "conflict", "forbidden", "origin_not_allowed", "insufficient_user_authentication"],
            rest: { method: "DELETE", path: "/v1/me/passkeys/{id}" },
            example: { input: { id: exampleId }, output: { status: "success" } },
          },
        )
        .input(byId)
        .mutation(async ({ ctx, input }) => {
          await passkeys.remove(ctx, input.id);
          return { status: "success" as const };
        }),
    },
  };
  return { auth, me };
}
