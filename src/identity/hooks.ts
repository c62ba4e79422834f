import type { UserCondition } from "../storage/user-condition.ts";
import type { CredentialRevocation, Erasure } from "./accounts/accounts.ts";
import type { ClaimsHook } from "./sessions/access-tokens.ts";

/** The parts of features that this folder runs without knowing the features. They come from the registry, never by hand. */
export interface FeatureHooks {
  /** Every sign-in method of a feature, in the registry's order, with the condition that a user holds a credential for it. */
  credentials: Readonly<Record<string, UserCondition | null>>;
  claims: readonly ClaimsHook[];
  erasures: readonly Erasure[];
  revocations: readonly CredentialRevocation[];
}
