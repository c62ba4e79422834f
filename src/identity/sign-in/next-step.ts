import { SECOND } from "../../core/clock.ts";
import type { Application } from "../applications/application.ts";

/** The application's policy, as far as it decides. */
type Policy = Pick<
  Application,
  "signInMethods" | "audiences" | "defaultAudience" | "mfa" | "mfaGrace" | "mfaRequiredAt"
>;

/** The request and its proof: known before anything is read about the user. */
export interface RequestFacts {
  application: Policy;
  /** `aal` counts every factor that was proven so far. */
  proof: { method: string; aal: "aal1" | "aal2" };
  /** null: the application's default audience. */
  audience: string | null;
}

/** Everything that the decision depends on. */
export interface SignInFacts extends RequestFacts {
  /** ms. */
  now: number;
  user: { isLive: boolean; isAnonymous: boolean; createdAt: number };
  /** The organization that was asked for, and whether the user belongs to it; null where none was. */
  organization: { isMember: boolean } | null;
  /** Second factors of the user that would do beside the first one. */
  factors: readonly string[];
  /** Whether the device may leave the second factor out. */
  isTrustedDevice: boolean;
}

/** Why a right proof signs nobody in. */
export type Refusal = "method_off" | "unknown_audience" | "account_closed" | "no_member";

export type NextStep =
  | { step: "session" }
  | { step: "second_factor"; methods: readonly string[] }
  | { step: "set_up_factor" }
  | { step: "refuse"; reason: Refusal };

const SESSION: NextStep = { step: "session" };

/** Decides what a sign-in needs next. Pure: whatever has changed between two steps, the whole decision runs again. */
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

/** The part of the decision that needs no user: for a refusal before any costly work. */
export function refusalOfRequest({ application, proof, audience }: RequestFacts): Refusal | null {
  if (!application.signInMethods.has(proof.method)) return "method_off";
  const isKnown = audience === null || audience === application.defaultAudience;
  return isKnown || application.audiences.includes(audience) ? null : "unknown_audience";
}

/** Whether the user's second factors decide anything. Where they do not, nobody needs to read them. */
export function mayNeedFactor({ application, proof, user }: Pick<SignInFacts, "application" | "proof" | "user">) {
  return proof.aal === "aal1" && application.mfa !== "off" && !user.isAnonymous;
}

/** From the later of two instants: a second factor became required, and the user came. */
function isInGrace({ application, user, now }: SignInFacts): boolean {
  const since = Math.max(application.mfaRequiredAt ?? 0, user.createdAt);
  return application.mfaGrace > 0 && now < since + application.mfaGrace * SECOND;
}
