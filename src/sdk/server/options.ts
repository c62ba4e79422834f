import type { Fetch } from "../internal/http.ts";
import type { CredentialOptions } from "./credential.ts";
import type { Requirements } from "./requirements.ts";

/**
 * What to do once the appliance was out of reach for 60 s, so that a revocation may have been missed: take tokens as they
 * are until they expire (at most 15 minutes), refuse them all, or ask the appliance about each.
 */
export type OnStale = "allow" | "deny" | "introspect";

/**
 * How revocations come in: as server-sent events, which takes milliseconds and holds one connection while tokens are being
 * verified, or by a poll every 10 s. The poll stands in wherever there is no stream.
 */
export type RevocationSource = "stream" | "poll";

export interface VerificationOptions {
  /** Where the appliance is reached. Default `SALLYPORT_URL`; not needed where `tenantUrl` is given. */
  baseUrl?: string | undefined;
  /** Where the tenant is reached, `<base>/t/<slug>`. Default `SALLYPORT_TENANT_URL`, else the base URL. */
  tenantUrl?: string | undefined;
  /** UUID or `app_…`: what `azp` must be. Default `SALLYPORT_APP_ID`. */
  applicationId?: string | undefined;
  /** What `iss` must be, where this backend reaches the tenant by another address than its public one. Default `tenantUrl`. */
  issuer?: string | undefined;
  /** What `aud` must be or hold. Default `SALLYPORT_API_AUDIENCE`, else `<issuer>/api/<application id>`. */
  audience?: string | undefined;
  /** Default `"allow"`. */
  onStale?: OnStale | undefined;
  /** Default `"stream"`; `"poll"` on Cloudflare Workers and Vercel's edge, where a connection ends with its request. */
  revocations?: RevocationSource | undefined;
  /** Seconds that the clocks may differ, 0 to 60. Default 5. */
  leeway?: number | undefined;
  /** Verified tokens remembered, some 2 kB each. Default 10,000. */
  cacheSize?: number | undefined;
  fetch?: Fetch | undefined;
  /** Milliseconds since the Unix epoch. Default: the system's clock. */
  now?: (() => number) | undefined;
}

export interface SallyportServerOptions extends VerificationOptions {
  /** `sally_sk_…`, for management calls only. Default `SALLYPORT_API_KEY`. */
  apiKey?: string | undefined;
}

/** Where the credential may come from, and what its token must say. */
export interface AuthenticationOptions extends CredentialOptions, Requirements {
  /**
   * Without a credential there are no claims, and no refusal either. A bad Authorization header is refused all the same; a
   * bad cookie counts as none, since the browser sends it unasked.
   */
  allowUnauthenticated?: boolean | undefined;
}
