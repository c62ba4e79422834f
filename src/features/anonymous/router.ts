import * as z from "../../core/zod.ts";
import type { Identity } from "../../identity/identity.ts";
import { exampleTokens, tokensSchema } from "../../identity/sessions/wire.ts";
import { deliver } from "../../rpc/deliver.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import { metadataInput } from "../../rpc/schemas.ts";
import { deliveryInput, signInRequest } from "../../rpc/sign-in-input.ts";
import type { AnonymousSignIn } from "./service.ts";

export function anonymousRouter(
  identity: Pick<Identity, "accessTokens" | "refreshService">,
  procedures: Procedures,
  signIn: AnonymousSignIn,
) {
  const auth = {
    anonymous: procedures
      .public({
        summary: "Create a user without a credential, and sign the user in.",
        description:
          "The session is the only way in: a user who loses it cannot come back. An address with a password, a passkey or a proven " +
          "address claims the account. Its id and its metadata stay.",
        output: tokensSchema,
        errors: ["forbidden", "origin_not_allowed"],
        rest: { method: "POST", path: "/v1/auth/anonymous", status: 201 },
        example: {
          input: { metadata: { theme: "dark" } },
          output: {
            ...exampleTokens,
            user: { ...exampleTokens.user, email: null, display_name: null, is_anonymous: true },
          },
        },
      })
      .input(
        z
          .strictObject({
            metadata: metadataInput.optional(),
            delivery: deliveryInput,
          })
          .optional(),
      )
      .mutation(async ({ ctx, input }) =>
        deliver(
          ctx.call,
          await signIn.signIn(await signInRequest(identity, ctx, { delivery: input?.delivery }), input?.metadata ?? {}),
        ),
      ),
  };
  return { auth };
}
