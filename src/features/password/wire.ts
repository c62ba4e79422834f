import * as z from "../../core/zod.ts";
import type { SharedProof } from "../../identity/email-proofs/proofs.ts";

export const emailInput = z.string().min(1).max(1016).describe("One e-mail address.");
// Refuses a text longer than any password before it is normalised. The policy knows the exact limits.
export const passwordInput = z.string().min(1).max(4096);

export function toMailSent({ flowId, expiresIn }: SharedProof) {
  return { status: "sent" as const, flow_id: flowId, expires_in: expiresIn };
}
