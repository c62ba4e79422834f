import type { Executor } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";
import { mailSharedProof, PROOF_LIFETIME, type ProofParts } from "./mailed.ts";
import type { SharedProof } from "./proofs.ts";

export interface ResetState {
  /** The row of the address that gets the mail; null where no account has it. */
  emailId: string | null;
}

interface ResetMail {
  canonical: string;
  /** The account and its stored address; null where there is no account. */
  owner: { userId: string; emailId: string; address: string } | null;
  network?: string | null;
}

/** Mails a link and code for a new password, or does the same work without a mail where there is no account. */
export function mailReset(identity: ProofParts, tx: Executor, act: Act, order: ResetMail): Promise<SharedProof> {
  const { canonical, owner, network = null } = order;
  const state: ResetState = { emailId: owner?.emailId ?? null };
  return mailSharedProof(identity, tx, act, {
    kind: "reset_password",
    template: "reset_password",
    to: owner?.address ?? null,
    userId: owner?.userId ?? null,
    canonical,
    email: owner?.address ?? null,
    state: { ...state },
    lifetime: PROOF_LIFETIME,
    network,
  });
}
