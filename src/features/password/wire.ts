import { z } from "zod";
import type { StartedProof } from "../../identity/email-proofs/proofs.ts";

export const emailInput = z.string().min(1).max(1016).describe("One e-mail address.");
// What is longer than any password is refused before it is normalised; the policy says the exact limits.
export const passwordInput = z.string().min(1).max(4096);

export function toMailSent({ flowId, expiresIn }: StartedProof) {
  return { status: "sent" as const, flow_id: flowId, expires_in: expiresIn };
}
