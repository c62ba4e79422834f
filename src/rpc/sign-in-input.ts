import * as z from "../core/zod.ts";
import type { Identity } from "../identity/identity.ts";
import type { SignInRequest } from "../identity/sign-in/sign-ins.ts";
import type { Delivery } from "../storage/schema.ts";
import type { Call } from "./call.ts";
import type { Admitted } from "./gate.ts";
import { presentedSession } from "./presented.ts";

export const deliveryInput = z
  .enum(["cookie", "memory"])
  .default("cookie")
  .describe("`memory` sets no access cookie and sends the access token only in the body.");

/** Input that every way to sign in takes in addition to its own proof. */
export const signInInput = {
  organization: z.string().min(1).max(100).nullish().describe("An organization that the user is a member of."),
  audience: z.string().min(1).max(255).nullish().describe("One of the application's audiences."),
  delivery: deliveryInput,
  trusted_device: z
    .string()
    .min(1)
    .max(200)
    .nullish()
    .describe("The secret from an earlier sign-in. Default: the cookie of that sign-in."),
};

/** {@link signInInput}, or a part of it. */
interface Given {
  organization?: string | null | undefined;
  audience?: string | null | undefined;
  delivery?: Delivery | undefined;
  trusted_device?: string | null | undefined;
}

/** Makes the request for `SignIns.complete` from the call and its input. */
export async function signInRequest(
  identity: Pick<Identity, "accessTokens" | "refreshService">,
  ctx: Admitted & { call: Call },
  input: Given,
): Promise<SignInRequest> {
  return {
    act: ctx.act,
    organization: input.organization ?? null,
    audience: input.audience ?? null,
    delivery: input.delivery ?? "cookie",
    replaces: await presentedSession(identity, ctx.call, ctx),
    trustedDevice: input.trusted_device ? [input.trusted_device] : ctx.call.cookies(ctx.act.application).trustedDevice,
  };
}
