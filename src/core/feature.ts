import type { z } from "zod";
import type { Settings } from "./config.ts";

/**
 * What a capability offers to the host. One folder in `features/` exports one of these, and one line of the registry names
 * it. Generic over types of the rooms above, so that this file stays a leaf. A new kind of hook, such as events or panels for
 * operators, is one more optional member: `rpc/compose.ts` collects it, and hands it to the room that runs it.
 */
export interface FeatureContract<Host, Router, ClaimsInput, Transaction, SecondFactor, IsCredential> {
  /** Its slice of the configuration. Every setting has a value when the application starts, or it does not start. */
  settings?: Settings;
  /**
   * The sign-in methods that it adds, by the names that applications allow them by. Each says which users hold a credential for
   * it: an account that somebody can still sign in to is not deleted as abandoned, and the last way in cannot be removed. null
   * stands for a method without a credential.
   */
  signInMethods?: Readonly<Record<string, IsCredential | null>>;
  /** The user's data that it keeps, for GET /v1/me/export. No secret, no hash, no key. */
  export?: UserPart<Transaction> | null;
  /** Its part of the overview of what secures an account, for GET /v1/me/security. */
  security?: UserPart<Transaction> | null;
  /** Its procedures, by their names in the router: `{ auth: { login } }`. Two features may share a branch, not a leaf. */
  router?: (host: Host) => Router;
  /** More claims for an access token. Read-only work, no I/O: it is on the hot path of a refresh. */
  claims?: (input: ClaimsInput) => Record<string, unknown>;
  /**
   * Removes what it keeps about a user who is being deleted, in the transaction of the deletion. A feature whose sign-in method has
   * a credential must declare this, {@link revokeCredentials}, {@link export} and {@link security}; null says that it keeps nothing.
   */
  erase?: ((tx: Transaction, userId: string) => Promise<void>) | null;
  /**
   * Removes the credentials that it keeps of a user. `since` null: every one, because the owner of the account's address has
   * proven it now, and a stranger may have registered with it. A time in ms: those that were added then or later, because
   * somebody else had the account since; a credential that may have been what they came in by goes in any case.
   */
  revokeCredentials?: ((tx: Transaction, userId: string, revocation: { since: number | null }) => Promise<void>) | null;
  /** The second factors that it offers. */
  secondFactors?: (host: Host) => readonly SecondFactor[];
  /** Work that comes back by itself: retention, rotation, delivery. */
  jobs?: (host: Host) => readonly Job[];
}

/** Members of a document about one user: their schemas, an example, and how they are read. */
export interface UserPart<Transaction> {
  schema: Readonly<Record<string, z.ZodType>>;
  example: Readonly<Record<string, unknown>>;
  read(at: Transaction, query: UserQuery): Promise<Readonly<Record<string, unknown>>>;
}

export interface UserQuery {
  userId: string;
  /** The application that the user asks in. */
  applicationId: string;
  /** Rows of each list that are asked for, the newest ones. */
  limit: number;
  now: number;
}

export interface Job {
  name: string;
  /** Milliseconds between two runs. */
  every: number;
  run(): Promise<void>;
  /** Tells how to be run before its time. */
  onWake?: (wake: () => void) => void;
}
