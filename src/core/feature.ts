import type { Settings } from "./config.ts";
import type * as z from "./zod.ts";

/** The kinds of credentials that a takeover or an undo removes. Each language of mails has a word for them. */
export const REVOCABLE_KINDS = ["password", "passkey", "totp", "recovery_codes", "address"] as const;
export type RevocableKind = (typeof REVOCABLE_KINDS)[number];

/**
 * The contract of a capability with the host. One folder in `features/` exports it, and one line of the registry names it.
 * It is generic over types of the layers above, so that this file imports none of them. A new kind of hook, such as
 * events or panels for operators, is another optional member: `rpc/compose.ts` collects it and hands it to the layer that
 * runs it.
 */
export interface FeatureContract<Host, Router, ClaimsInput, Transaction, SecondFactor, IsCredential> {
  /** Its slice of the configuration. The application starts only when every setting has a value. */
  settings?: Settings;
  /**
   * The sign-in methods that it adds, by the names in an application's `sign_in_methods`. Each tells which users hold a
   * credential for it. The appliance then never deletes an account as abandoned while its user can sign in, and never
   * removes the last way in. null stands for a method without a credential.
   */
  signInMethods?: Readonly<Record<string, IsCredential | null>>;
  /** The user's data that it keeps, for GET /v1/me/export. No secret, no hash and no key. */
  export?: UserPart<Transaction> | null;
  /** Its part of the overview of an account's security, for GET /v1/me/security. */
  security?: UserPart<Transaction> | null;
  /**
   * Its procedures, by their names in the router: `{ auth: { login } }`. Two features may share a branch, but not a leaf.
   */
  router?: (host: Host) => Router;
  /** Adds claims to an access token. It only reads and does no I/O, because it is on the hot path of a refresh. */
  claims?: (input: ClaimsInput) => Record<string, unknown>;
  /**
   * Removes its data about a user, in the transaction that deletes the user. A feature whose sign-in method has a credential
   * must declare this, {@link revokeCredentials}, {@link export} and {@link security}; null says that it keeps no data.
   */
  erase?: ((tx: Transaction, userId: string) => Promise<void>) | null;
  /**
   * Removes the user's credentials. `since` null: all of them, because the owner of the address has just proved it, and a
   * stranger may have registered with it. A time in ms: those added then or later, because an intruder has had the account
   * since then. A credential that may have let the intruder in goes in any case. Returns the kinds that it removed, for the
   * mail to the owner.
   */
  revokeCredentials?:
    | ((tx: Transaction, userId: string, revocation: { since: number | null }) => Promise<readonly RevocableKind[]>)
    | null;
  /** The second factors that it offers. */
  secondFactors?: (host: Host) => readonly SecondFactor[];
  /** Repeated work: retention, rotation, delivery. */
  jobs?: (host: Host) => readonly Job[];
}

/** Members of a document about one user: their schemas, an example, and the function that reads them. */
export interface UserPart<Transaction> {
  schema: Readonly<Record<string, z.ZodType>>;
  example: Readonly<Record<string, unknown>>;
  read(at: Transaction, query: UserQuery): Promise<Readonly<Record<string, unknown>>>;
}

export interface UserQuery {
  userId: string;
  /** The application that the user calls from. */
  applicationId: string;
  /** The number of rows to read for each list, newest first. */
  limit: number;
  now: number;
}

export interface Job {
  name: string;
  /** Milliseconds between two runs. */
  every: number;
  /** @param stopping aborts when the process stops, and a long run then ends early */
  run(stopping?: AbortSignal): Promise<void>;
  /** Receives a function that runs the job before its time. */
  onWake?: (wake: () => void) => void;
}
