import { SECOND } from "../../core/clock.ts";
import type { Application } from "../applications/application.ts";

/** The part of the application that decides. */
type Policy = Pick<
  Application,
  "signInMethods" | "audiences" | "defaultAudience" | "mfa" | "mfaGrace" | "mfaRequiredAt"
>;

/** The request and its proof, known before any read about the user. */
export interface RequestFacts {
  application: Policy;
  /** `aal` covers all factors proven so far. */
  proof: { method: string; aal: "aal1" | "aal2" };
  /** null: the application's default audience. */
  audience: string | null;
}

/** Every fact that the decision depends on. */
export interface SignInFacts extends RequestFacts {
  /** In ms. */
  now: number;
  user: { isLive: boolean; isAnonymous: boolean; createdAt: number };
  /** Whether the user belongs to the requested organization; null if none was requested. */
  organization: { isMember: boolean } | null;
  /** The user's second factors that can follow the first one. */
  factors: readonly string[];
  /** Whether the device may skip the second factor. */
  isTrustedDevice: boolean;
}

/** Why a correct proof does not sign the user in. */
export type Refusal = "method_off" | "unknown_audience" | "account_closed" | "no_member";

export type NextStep =
  | { step: "session" }
  | { step: "second_factor"; methods: readonly string[] }
  | { step: "set_up_factor" }
  | { step: "refuse"; reason: Refusal };

const SESSION: NextStep = { step: "session" };

/**
 * Decides the next step of a sign-in. It is pure: the whole decision runs again at each step, because facts may have changed.
 */
export function nextStep(facts: SignInFacts): NextStep {
  const { application, factors, organization, user } = facts;
  const refusal = refusalOfRequest(facts);
  if (refusal !== null) return { step: "refuse", reason: refusal };
  if (!user.isLive) return { step: "refuse", reason: "account_closed" };
  if (organization !== null && !organization.isMember) return { step: "refuse", reason: "no_member" };
  if (!mayNeedFactor(facts)) return SESSION;
  if (factors.length > 0) return facts.isTrustedDevice ? SESSION : { step: "second_factor", methods: factors };
  return application.mfa === "optional" || isInGrace(facts) ? SESSION : { step: "set_up_factor" };
}

/** Makes the part of the decision that needs no user, to refuse before any costly work. */
export function refusalOfRequest({ application, proof, audience }: RequestFacts): Refusal | null {
  if (!application.signInMethods.has(proof.method)) return "method_off";
  const isKnown = audience === null || audience === application.defaultAudience;
  return isKnown || application.audiences.includes(audience) ? null : "unknown_audience";
}

/** Returns whether the user's second factors matter. If not, the caller need not read them. */
export function mayNeedFactor({ application, proof, user }: Pick<SignInFacts, "application" | "proof" | "user">) {
  return proof.aal === "aal1" && application.mfa !== "off" && !user.isAnonymous;
}

/** The grace period starts when a second factor became required or when the user was created, whichever is later. */
function isInGrace({ application, user, now }: SignInFacts): boolean {
  const since = Math.max(application.mfaRequiredAt ?? 0, user.createdAt);
  return application.mfaGrace > 0 && now < since + application.mfaGrace * SECOND;
}
