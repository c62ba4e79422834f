import { HOUR, MINUTE, SECOND } from "../../core/clock.ts";
import type { Executor } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";
import { findPrimary } from "../users/emails/public.ts";
import { mailProof, type ProofMail, type ProofParts } from "./mailed.ts";
import { maskEmail } from "./mask.ts";
import { MAX_CODES, type StartedProof } from "./proofs.ts";

/** The state of a verify_email flow. */
export interface VerifyState {
  address: string;
  canonical: string;
  /** The session that asked for the proof; null for a sign-up. */
  sid: string | null;
}

interface VerificationMail {
  userId: string;
  /** The address to prove. */
  address: string;
  canonical: string;
  sid: string | null;
  /** As in {@link ProofMail}. */
  network: string | null;
  /** The recipient and template, if another account has the address already. */
  known?: Pick<ProofMail, "template" | "to" | "reader">;
}

const KIND = "verify_email";
const LIFETIME = HOUR;
/** A pending mail that is about to expire is not worth waiting for. */
const WORTHWHILE = 5 * MINUTE;

/**
 * Mails the proof of an address to an account. The proof counts only with a session of that account, so a stranger who enters
 * the address of another person gets nothing by that person's click.
 */
export async function mailVerification(
  identity: ProofParts,
  tx: Executor,
  act: Act,
  { userId, address, canonical, sid, network, known }: VerificationMail,
): Promise<StartedProof> {
  const state: VerifyState = { address, canonical, sid };
  const primary = await findPrimary(tx, userId);
  return mailProof(identity, tx, act, {
    kind: KIND,
    template: "verify_email",
    to: address,
    ...known,
    userId,
    canonical,
    email: address,
    state: { ...state },
    lifetime: LIFETIME,
    network,
    values: { account: primary ? maskEmail(primary.address) : "" },
  });
}

/** Returns the flow of a verification mail that is on its way to this address and still works, or null. */
export async function pendingVerification(
  { flows, clock }: Pick<ProofParts, "flows" | "clock">,
  at: Executor,
  act: Act,
  { userId, canonical }: Pick<VerificationMail, "userId" | "canonical">,
): Promise<{ flowId: string; expiresIn: number } | null> {
  const now = clock.now();
  for (const flow of await flows.live(at, userId, KIND)) {
    const { data } = JSON.parse(flow.state) as { data: VerifyState };
    const isSame = flow.application_id === act.application.id && data.canonical === canonical;
    if (isSame && flow.attempts < MAX_CODES && flow.expires_at > now + WORTHWHILE)
      return { flowId: flow.id, expiresIn: Math.floor((flow.expires_at - now) / SECOND) };
  }
  return null;
}
