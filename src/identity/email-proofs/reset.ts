import type { Executor } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";
import { mailProof, PROOF_LIFETIME, type ProofParts } from "./mailed.ts";
import type { StartedProof } from "./proofs.ts";

export interface ResetState {
  /** The row of the address that the mail went to; null where nobody has it. */
  emailId: string | null;
}

interface ResetMail {
  canonical: string;
  /** The account, and its stored address; null for nobody. */
  owner: { userId: string; emailId: string; address: string } | null;
}

/** Mails the way to a new password, or does the same work for nobody. */
export function mailReset(identity: ProofParts, tx: Executor, act: Act, order: ResetMail): Promise<StartedProof> {
  const { canonical, owner } = order;
  const state: ResetState = { emailId: owner?.emailId ?? null };
  return mailProof(identity, tx, act, {
    kind: "reset_password",
    template: "reset_password",
    to: owner?.address ?? null,
    userId: owner?.userId ?? null,
    canonical,
    email: owner?.address ?? null,
    state: { ...state },
    lifetime: PROOF_LIFETIME,
  });
}
