import type { UsersListInput, UsersListOutput } from "../client/api.gen.ts";
import { SallyportError } from "../internal/errors.ts";
import { platformFetch } from "../internal/http.ts";
import { environment, requireApplicationId } from "../internal/options.ts";
import type { PlatformRequest, PlatformResponse } from "../internal/platform.ts";
import { authenticate } from "./authenticate.ts";
import type { AccessClaims } from "./claims.ts";
import { readCredentialRules } from "./credential.ts";
import { Management, type RequestOptions } from "./management.ts";
import type { AuthenticationOptions, SallyportServerOptions } from "./options.ts";
import { renderRefusal } from "./refusal.ts";
import { readRequirements } from "./requirements.ts";
import { resolveAddresses, resolveVerifier } from "./resolve-options.ts";
import { Verifier } from "./verifier.ts";

/** Claims, or the error with its answer. Under `allowUnauthenticated` there may be neither. */
export type Authentication<Anonymous extends boolean = false> =
  | { claims: AccessClaims; error: null; response: null }
  | { claims: null; error: SallyportError; response: PlatformResponse }
  | (Anonymous extends true ? { claims: null; error: null; response: null } : never);

/**
 * A backend's side of Sallyport: verifies access tokens locally, and makes management calls with a secret key. Make one per
 * process and keep it, because it holds the issuer's keys, the revocations and the verified tokens.
 */
export class SallyportServer {
  readonly #verifier: Verifier;
  readonly #management: Management;
  readonly #issuer: string;
  readonly #applicationId: string;

  /** @throws SallyportError `configuration_error` that names the missing or wrong option */
  constructor(options: SallyportServerOptions = {}) {
    const { baseUrl, issuer } = resolveAddresses(options);
    const applicationId = requireApplicationId(options.applicationId);
    const apiKey = options.apiKey ?? environment("SALLYPORT_API_KEY");
    this.#management = new Management({ baseUrl, applicationId, apiKey, fetch: options.fetch ?? platformFetch });
    this.#verifier = new Verifier(resolveVerifier(options, applicationId));
    this.#issuer = issuer;
    this.#applicationId = applicationId;
  }

  /**
   * @param authorization the raw `Authorization` value, with or without `Bearer`
   * @returns the claims of a token that is valid now, for this application and audience, and not revoked
   * @throws SallyportError 401 `authentication_required`, `token_expired` or `token_revoked`, with `details.reason`;
   *   `unreachable` or `unexpected_response` if the issuer's keys could not be loaded
   */
  verifyToken(authorization: string | null | undefined): Promise<AccessClaims> {
    return this.#verifier.verify(authorization);
  }

  /**
   * For every framework with Request and Response: Hono, Next.js, Bun.serve, Deno.serve, workers. Reads the Authorization
   * header, else the access cookie. For a request that may change data, the cookie counts only if it comes from a page of the
   * request's own origin or of `allowedOrigins`.
   * @returns the claims, or the error with its answer: 401 and 403 in the envelope with `WWW-Authenticate`, 503 if the token
   *   cannot be checked
   * @throws SallyportError `configuration_error` for a wrong option
   */
  async authenticateRequest(
    request: PlatformRequest,
    options?: AuthenticationOptions & { allowUnauthenticated?: false },
  ): Promise<Authentication>;
  async authenticateRequest(request: PlatformRequest, options: AuthenticationOptions): Promise<Authentication<true>>;
  async authenticateRequest(
    request: PlatformRequest,
    options: AuthenticationOptions = {},
  ): Promise<Authentication<true>> {
    const guard = {
      verifier: this.#verifier,
      rules: readCredentialRules(options, this.#issuer, this.#applicationId),
      requirements: readRequirements(options),
      allowUnauthenticated: options.allowUnauthenticated === true,
    };
    const { method, headers, url } = request;
    // A Request made by hand has no Host header, but its address holds the host.
    const header = (name: string) => headers.get(name) ?? (name === "host" ? new URL(url).host : null);
    try {
      const claims = await authenticate({ method, header }, guard);
      return { claims, error: null, response: null };
    } catch (error) {
      if (!(error instanceof SallyportError)) throw error;
      const refusal = renderRefusal(error);
      const response = new Response(JSON.stringify(refusal.body), { status: refusal.status, headers: refusal.headers });
      return { claims: null, error, response };
    }
  }

  /** Milliseconds since revocations were last known to be up to date; Infinity before the first time. */
  staleness(): number {
    return this.#verifier.revocations.staleness();
  }

  /** Whether a stream of revocations is up to date. Otherwise they are polled every 10 s. */
  isStreaming(): boolean {
    return this.#verifier.revocations.isStreaming;
  }

  /** Management calls need `apiKey`. Each throws SallyportError. */
  readonly users = {
    /** One page of the tenant's users. */
    list: (options?: UsersListInput): Promise<UsersListOutput> => this.#management.listUsers(options),
  };

  /** Any management call of the REST surface: `request("GET", "/v1/sessions", { query: { limit: 50 } })`. */
  request<T = unknown>(method: string, path: `/${string}`, options?: RequestOptions): Promise<T> {
    return this.#management.request<T>(method, path, options);
  }

  /** Ends the background stream and poll. For tests and clean shutdowns; without it, nothing is lost. */
  close(): void {
    this.#verifier.close();
  }
}
