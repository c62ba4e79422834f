import { configurationError } from "../internal/errors.ts";
import { platformFetch } from "../internal/http.ts";
import { environment, requireApplicationId, requireUrl } from "../internal/options.ts";
import type { AccessClaims } from "./claims.ts";
import { type ListOptions, Management, type RequestOptions, type UserPage } from "./management.ts";
import type { OnStale, SallyportServerOptions } from "./options.ts";
import { MAX_LEEWAY } from "./revocations.ts";
import { Verifier } from "./verifier.ts";

/**
 * A backend's side of Sallyport: verifies access tokens locally, and makes management calls with a secret key.
 * Make one a process and keep it: it holds the issuer's keys, the revocations and the tokens already verified.
 */
export class SallyportServer {
  readonly #verifier: Verifier;
  readonly #management: Management;

  /** @throws SallyportError `configuration_error` saying which option is missing or wrong */
  constructor(options: SallyportServerOptions = {}) {
    const tenant = options.tenantUrl ?? environment("SALLYPORT_TENANT_URL");
    const base = options.baseUrl ?? environment("SALLYPORT_URL") ?? tenant?.replace(/\/t\/[^/]+\/*$/, "");
    const baseUrl = requireUrl(base, "baseUrl", "SALLYPORT_URL");
    const tenantUrl = tenant === undefined ? baseUrl : requireUrl(tenant, "tenantUrl", "SALLYPORT_TENANT_URL");
    const issuer = options.issuer ?? tenantUrl;
    const applicationId = requireApplicationId(options.applicationId);
    const audience = options.audience ?? environment("SALLYPORT_API_AUDIENCE") ?? `${issuer}/api/${applicationId}`;
    const fetch = options.fetch ?? platformFetch;
    this.#management = new Management({
      baseUrl,
      applicationId,
      apiKey: options.apiKey ?? environment("SALLYPORT_API_KEY"),
      fetch,
    });
    this.#verifier = new Verifier({
      tenantUrl,
      issuer,
      audience,
      applicationId,
      fetch,
      onStale: oneOf(options.onStale ?? "allow"),
      leeway: within(options.leeway ?? 5, MAX_LEEWAY, "leeway"),
      cacheSize: within(options.cacheSize ?? 10_000, 1_000_000, "cacheSize"),
      now: options.now ?? Date.now,
    });
  }

  /**
   * @param authorization the raw `Authorization` value, with or without `Bearer`.
   * @returns the claims of a token that is valid now, for this application and audience, and not revoked.
   * @throws SallyportError 401 `authentication_required`, `token_expired` or `token_revoked`, with `details.reason`;
   *   `unreachable` or `unexpected_response` when the issuer's keys could not be had.
   */
  verifyToken(authorization: string | null | undefined): Promise<AccessClaims> {
    return this.#verifier.verify(authorization);
  }

  /** Milliseconds since revocations were last read; Infinity before the first time. */
  staleness(): number {
    return this.#verifier.revocations.staleness();
  }

  /** Management calls need `apiKey`. Each throws SallyportError. */
  readonly users = {
    /** One page of the tenant's users. */
    list: (options?: ListOptions): Promise<UserPage> => this.#management.listUsers(options),
  };

  /** Any management call of the REST surface: `request("GET", "/v1/sessions", { query: { limit: 50 } })`. */
  request<T = unknown>(method: string, path: `/${string}`, options?: RequestOptions): Promise<T> {
    return this.#management.request<T>(method, path, options);
  }

  /** Stops polling in the background. For tests and orderly ends; nothing is lost without it. */
  close(): void {
    this.#verifier.close();
  }
}

function oneOf(value: OnStale): OnStale {
  if (value === "allow" || value === "deny" || value === "introspect") return value;
  throw configurationError('onStale must be "allow", "deny" or "introspect".');
}

function within(value: number, max: number, option: string): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw configurationError(`${option} must be a whole number between 0 and ${max}.`);
}
