import type { Fetch } from "../internal/http.ts";
import type { OnStepUp, StepUpNeed } from "./step-up.ts";

/** The source of the access token for a client's calls. */
export interface Credential {
  /** Returns the token for the next request, or null for none. */
  token(): Promise<string | null>;
  /**
   * Called when the appliance answers `token_expired` or `token_revoked` to `rejected`.
   * @returns another token to try once, or null if there is none
   */
  renew(rejected: string): Promise<string | null>;
  /**
   * Called when `rejected` is valid, but the call needs a stronger or fresher sign-in (RFC 9470).
   * @returns another token to try once, or null if the user proved nothing more
   */
  stepUp(need: StepUpNeed, rejected: string): Promise<string | null>;
}

/** The parts of a client that its session needs. */
export interface ClientInternals {
  /** The appliance's address, without a trailing slash. */
  url: string;
  applicationId: string;
  fetch: Fetch;
  /** Whether the caller gave the client a credential. */
  hasOwnCredential: boolean;
  /** The client's option, if any. */
  onStepUp: OnStepUp | undefined;
  /** Returns the headers of every request, without the credential. */
  headers(): Promise<Record<string, string>>;
  /** @param options with `omitCookies`, no later call carries cookies */
  attach(credential: Credential, options?: { omitCookies?: boolean }): void;
}

const internals = new WeakMap<object, ClientInternals>();

/** Stored beside the client, because the client's properties are the API's procedures. */
export function rememberInternals(client: object, own: ClientInternals): void {
  internals.set(client, own);
}

export function internalsOf(client: object): ClientInternals | undefined {
  return internals.get(client);
}
