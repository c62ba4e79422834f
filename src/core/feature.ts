import type { Settings } from "./config.ts";

/**
 * What a capability offers to the host. One folder in `features/` exports one of these, and one line of the registry names
 * it. Generic over types of the rooms above, so that this file stays a leaf.
 */
export interface FeatureContract<Host, Router, ClaimsInput, Transaction, SecondFactor> {
  /** Its slice of the configuration. Every setting has a value when the application starts, or it does not start. */
  settings?: Settings;
  /** The sign-in methods that it adds, by the names that applications allow them by: `["magic_link", "email_code"]`. */
  signInMethods?: readonly string[];
  /** Its procedures, by their names in the router: `{ auth: { login } }`. Two features may share a branch, not a leaf. */
  router?: (host: Host) => Router;
  /** More claims for an access token. Read-only work, no I/O: it is on the hot path of a refresh. */
  claims?: (input: ClaimsInput) => Record<string, unknown>;
  /** Removes what it keeps about a user who is being deleted, in the transaction of the deletion. */
  erase?: (tx: Transaction, userId: string) => Promise<void>;
  /**
   * Removes the credentials that were set before anybody had proven the account's address, because somebody else has proven
   * it now: whoever registered with a stranger's address keeps no way in.
   */
  revokeUnprovenCredentials?: (tx: Transaction, userId: string) => Promise<void>;
  /** The second factors that it offers. */
  secondFactors?: (host: Host) => readonly SecondFactor[];
  /** Work that comes back by itself: retention, rotation, delivery. */
  jobs?: (host: Host) => readonly Job[];
}

export interface Job {
  name: string;
  /** Milliseconds between two runs. */
  every: number;
  run(): Promise<void>;
  /** Tells how to be run before its time. */
  onWake?: (wake: () => void) => void;
}
