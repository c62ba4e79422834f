import type { UserCondition } from "../storage/user-condition.ts";
import type { CredentialRevocation, Erasure } from "./accounts/accounts.ts";
import type { ClaimsHook } from "./sessions/access-tokens.ts";

/** The parts of features that this room runs without knowing the features. Composed from the registry, never by hand. */
export interface FeatureHooks {
  /** Every sign-in method that some feature adds, in the registry's order: which users hold a credential for it. */
  credentials: Readonly<Record<string, UserCondition | null>>;
  claims: readonly ClaimsHook[];
  erasures: readonly Erasure[];
  revocations: readonly CredentialRevocation[];
}
