import type { Fetch } from "../internal/http.ts";

/**
 * What to do once the appliance was out of reach for 60 s, so that a revocation may have been missed: take tokens as they
 * are until they expire (at most 15 minutes), refuse them all, or ask the appliance about each.
 */
export type OnStale = "allow" | "deny" | "introspect";

export interface SallyportServerOptions {
  /** Where the appliance is reached. Default `SALLYPORT_URL`; not needed where `tenantUrl` is given. */
  baseUrl?: string | undefined;
  /** UUID or `app_…`. Default `SALLYPORT_APP_ID`. */
  applicationId?: string | undefined;
  /** `sally_sk_…`, for management calls only. Default `SALLYPORT_API_KEY`. */
  apiKey?: string | undefined;
  /** Where the tenant is reached, `<base>/t/<slug>`. Default `SALLYPORT_TENANT_URL`, else the base URL. */
  tenantUrl?: string | undefined;
  /** What `iss` must be, where this backend reaches the tenant by another address than its public one. Default `tenantUrl`. */
  issuer?: string | undefined;
  /** What `aud` must be or hold. Default `SALLYPORT_API_AUDIENCE`, else `<issuer>/api/<application id>`. */
  audience?: string | undefined;
  /** Default `"allow"`. */
  onStale?: OnStale | undefined;
  /** Seconds that the clocks may differ, 0 to 60. Default 5. */
  leeway?: number | undefined;
  /** Verified tokens remembered, some 2 kB each. Default 10,000. */
  cacheSize?: number | undefined;
  fetch?: Fetch | undefined;
  /** Milliseconds since the Unix epoch. Default: the system's clock. */
  now?: (() => number) | undefined;
}
