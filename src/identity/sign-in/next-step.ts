import type { Application } from "../applications/application.ts";
import { type FactorFacts, type FactorPolicy, type FactorStep, factorStep } from "../factors/policy.ts";

/** The part of the application that decides. */
type Policy = FactorPolicy & Pick<Application, "signInMethods" | "audiences" | "defaultAudience">;

/** The request and its proof, known before any read about the user. */
export interface RequestFacts {
  application: Policy;
  /** `aal` covers all factors proven so far. */
  proof: { method: string; aal: "aal1" | "aal2" };
  /** null: the application's default audience. */
  audience: string | null;
}

/** Every fact that the decision depends on. */
export interface SignInFacts extends RequestFacts, FactorFacts {
  application: Policy;
  proof: { method: string; aal: "aal1" | "aal2" };
  user: { isLive: boolean; isAnonymous: boolean; createdAt: number };
  /** Whether the user belongs to the requested organization; null if none was requested. */
  organization: { isMember: boolean } | null;
}

/** Why a correct proof does not sign the user in. */
export type Refusal = "method_off" | "unknown_audience" | "account_closed" | "no_member";

export type NextStep = FactorStep | { step: "refuse"; reason: Refusal };

/**
 * Decides the next step of a sign-in. It is pure: the whole decision runs again at each step, because facts may have changed.
 */
export function nextStep(facts: SignInFacts): NextStep {
  const { organization, user } = facts;
  const refusal = refusalOfRequest(facts);
  if (refusal !== null) return { step: "refuse", reason: refusal };
  if (!user.isLive) return { step: "refuse", reason: "account_closed" };
  if (organization !== null && !organization.isMember) return { step: "refuse", reason: "no_member" };
  return factorStep(facts);
}

/** Makes the part of the decision that needs no user, to refuse before any costly work. */
export function refusalOfRequest({ application, proof, audience }: RequestFacts): Refusal | null {
  if (!application.signInMethods.has(proof.method)) return "method_off";
  const isKnown = audience === null || audience === application.defaultAudience;
  return isKnown || application.audiences.includes(audience) ? null : "unknown_audience";
}
