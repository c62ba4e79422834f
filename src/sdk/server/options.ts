import type { Fetch } from "../internal/http.ts";
import type { CredentialOptions } from "./credential.ts";
import type { Requirements } from "./requirements.ts";

/**
 * The policy after the appliance was out of reach for 60 s, so that a revocation may have been missed: accept tokens
 * until they expire (at most 15 minutes), refuse all tokens, or ask the appliance about each.
 */
export type OnStale = "allow" | "deny" | "introspect";

/**
 * How revocations arrive: as server-sent events, which takes milliseconds and holds one connection while tokens are being
 * verified, or by a poll every 10 s. Without a stream, the poll replaces it.
 */
export type RevocationSource = "stream" | "poll";

export interface VerificationOptions {
  /** The appliance's address. Default `SALLYPORT_URL`; not needed with `tenantUrl`. */
  baseUrl?: string | undefined;
  /** The tenant's address, `<base>/t/<slug>`. Default `SALLYPORT_TENANT_URL`, else the base URL. */
  tenantUrl?: string | undefined;
  /** UUID or `app_…`: the required `azp`. Default `SALLYPORT_APP_ID`. */
  applicationId?: string | undefined;
  /** The required `iss`, if this backend reaches the tenant by another address than its public one. Default `tenantUrl`. */
  issuer?: string | undefined;
  /** The required `aud`, or one of its values. Default `SALLYPORT_API_AUDIENCE`, else `<issuer>/api/<application id>`. */
  audience?: string | undefined;
  /** Default `"allow"`. */
  onStale?: OnStale | undefined;
  /** Default `"stream"`; `"poll"` on Cloudflare Workers and Vercel's edge, where a connection ends with its request. */
  revocations?: RevocationSource | undefined;
  /** Seconds by which clocks may differ, 0 to 60. Default 5. */
  leeway?: number | undefined;
  /** Number of verified tokens to remember, about 2 kB each. Default 10,000. */
  cacheSize?: number | undefined;
  fetch?: Fetch | undefined;
  /** Milliseconds since the Unix epoch. Default: the system's clock. */
  now?: (() => number) | undefined;
}

export interface SallyportServerOptions extends VerificationOptions {
  /** `sally_sk_…`, for management calls only. Default `SALLYPORT_API_KEY`. */
  apiKey?: string | undefined;
}

/** The accepted sources of a credential, and the requirements on its token. */
export interface AuthenticationOptions extends CredentialOptions, Requirements {
  /**
   * Lets a request without a credential pass, without claims. A bad Authorization header is still refused; a bad cookie
   * counts as no credential, because the browser sends it unasked.
   */
  allowUnauthenticated?: boolean | undefined;
}
