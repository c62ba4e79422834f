import type { Erasure } from "./accounts/accounts.ts";
import type { ClaimsHook } from "./sessions/access-tokens.ts";

/** The parts of features that this room runs without knowing the features. Composed from the registry, never by hand. */
export interface FeatureHooks {
  /** Every sign-in method that some feature adds, in the registry's order. */
  signInMethods: readonly string[];
  claims: readonly ClaimsHook[];
  erasures: readonly Erasure[];
  unprovenRevocations: readonly Erasure[];
}
