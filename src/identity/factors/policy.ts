import { SECOND } from "../../core/clock.ts";
import type { Application } from "../applications/application.ts";

export type FactorPolicy = Pick<Application, "mfa" | "mfaGrace" | "mfaRequiredAt">;

/** Every fact that decides about second factors. */
export interface FactorFacts {
  application: FactorPolicy;
  proof: { aal: "aal1" | "aal2" };
  user: { isAnonymous: boolean; createdAt: number };
  /** The user's second factors that can follow the first one. */
  factors: readonly string[];
  /** Whether the device may skip the second factor. */
  isTrustedDevice: boolean;
  /** In ms. */
  now: number;
}

export type FactorStep =
  | { step: "session" }
  | { step: "second_factor"; methods: readonly string[] }
  | { step: "set_up_factor" };

const SESSION: FactorStep = { step: "session" };

/** Decides about second factors, for a user who has just proven `proof`. */
export function factorStep(facts: FactorFacts): FactorStep {
  const { application, factors } = facts;
  if (!mayNeedFactor(facts)) return SESSION;
  if (factors.length > 0) return facts.isTrustedDevice ? SESSION : { step: "second_factor", methods: factors };
  return application.mfa === "optional" || isInGrace(facts) ? SESSION : { step: "set_up_factor" };
}

/** Returns whether the user's second factors matter. If not, the caller need not read them. */
export function mayNeedFactor({ application, proof, user }: NeedFacts): boolean {
  return proof.aal === "aal1" && application.mfa !== "off" && !user.isAnonymous;
}

interface NeedFacts {
  application: Pick<FactorPolicy, "mfa">;
  proof: { aal: "aal1" | "aal2" };
  user: { isAnonymous: boolean };
}

/** A live session and the policy that it meets at a refresh. */
interface RefreshFacts {
  application: FactorPolicy & Pick<Application, "mfaAskedAt" | "mfaRemember">;
  session: {
    aal: "aal1" | "aal2";
    authenticated_at: number;
    is_anonymous: number;
    user_created_at: number;
    trusted_until: number | null;
  };
  /** In ms. */
  now: number;
}

/**
 * Decides whether a session may be refreshed under the policy of now. Otherwise a session from before a stricter policy, from
 * its grace or from a trusted device would live on with one factor for as long as it is refreshed. Other sessions need no look
 * at the user's factors, because a change of a factor ends them.
 * @returns `unless_enrolled` if only a user without a second factor may go on
 */
export function refreshStep({ application, session, now }: RefreshFacts): "session" | "sign_in" | "unless_enrolled" {
  const { mfa, mfaRemember, mfaAskedAt } = application;
  const { authenticated_at: since, trusted_until: trustedUntil } = session;
  const user = { isAnonymous: session.is_anonymous === 1, createdAt: session.user_created_at };
  if (!mayNeedFactor({ application, proof: session, user })) return "session";
  if (trustedUntil !== null && mfaRemember > 0 && now < trustedUntil) return "session";
  if (mfa === "required") return isInGrace({ application, user, now }) ? "session" : "sign_in";
  const isOlder = mfaAskedAt !== null && since < mfaAskedAt;
  return isOlder || trustedUntil !== null ? "unless_enrolled" : "session";
}

/** The grace period starts when a second factor became required or when the user was created, whichever is later. */
function isInGrace({ application, user, now }: GraceFacts): boolean {
  const since = Math.max(application.mfaRequiredAt ?? 0, user.createdAt);
  return application.mfaGrace > 0 && now < since + application.mfaGrace * SECOND;
}

interface GraceFacts {
  application: FactorPolicy;
  user: { createdAt: number };
  now: number;
}
