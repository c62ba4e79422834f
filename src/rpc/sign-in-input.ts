import { z } from "zod";
import type { Identity } from "../identity/identity.ts";
import type { SignInRequest } from "../identity/sign-in/sign-ins.ts";
import type { Delivery } from "../storage/schema.ts";
import type { Call } from "./call.ts";
import type { Admitted } from "./gate.ts";
import { presentedSession } from "./presented.ts";

export const deliveryInput = z
  .enum(["cookie", "memory"])
  .default("cookie")
  .describe("`memory` sets no access cookie: the access token is in the body only.");

/** What every way to sign in takes beside its own proof. */
export const signInInput = {
  organization: z.string().min(1).max(100).nullish().describe("An organization that the user is a member of."),
  audience: z.string().min(1).max(255).nullish().describe("One of the application's audiences."),
  delivery: deliveryInput,
  trusted_device: z.string().min(1).max(200).nullish().describe("What an earlier sign-in answered; else its cookie."),
};

/** {@link signInInput}, or a part of it. */
interface Given {
  organization?: string | null | undefined;
  audience?: string | null | undefined;
  delivery?: Delivery | undefined;
  trusted_device?: string | null | undefined;
}

/** Makes the request that every method hands on to `SignIns.complete`, from the call and its input. */
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
    trustedDevice: input.trusted_device ?? ctx.call.cookies(ctx.act.application).device,
  };
}
