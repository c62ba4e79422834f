import type { Fetch } from "../internal/http.ts";
import type { OnStepUp, StepUpNeed } from "./step-up.ts";

/** Where a client's calls get their access token from. */
export interface Credential {
  /** The token for the next request; null for none. */
  token(): Promise<string | null>;
  /**
   * Asked when the appliance answered `token_expired` or `token_revoked` to `rejected`.
   * @returns another token to try once, or null when there is none
   */
  renew(rejected: string): Promise<string | null>;
  /**
   * Asked when `rejected` was good, but said too little of the person (RFC 9470).
   * @returns another token to try once, or null when nobody proved more
   */
  stepUp(need: StepUpNeed, rejected: string): Promise<string | null>;
}

/** What a session needs of the client that it keeps signed in. */
export interface ClientInternals {
  /** Without a trailing slash. */
  url: string;
  applicationId: string;
  fetch: Fetch;
  /** Whether the client was made with a credential of its own. */
  hasOwnCredential: boolean;
  /** The client's option, if any. */
  onStepUp: OnStepUp | undefined;
  /** The headers that go with every request, without the credential. */
  headers(): Promise<Record<string, string>>;
  attach(credential: Credential): void;
}

const internals = new WeakMap<object, ClientInternals>();

/** Kept beside the client, not on it: its properties are the API's procedures. */
export function rememberInternals(client: object, own: ClientInternals): void {
  internals.set(client, own);
}

export function internalsOf(client: object): ClientInternals | undefined {
  return internals.get(client);
}
