import type { Api } from "../client/api.gen.ts";
import { configurationError } from "../internal/errors.ts";
import { type Fetch, requestJson } from "../internal/http.ts";

export interface ManagementOptions {
  baseUrl: string;
  applicationId: string;
  /** `sally_sk_…`; needed by calls, not by construction: verification works without. */
  apiKey: string | undefined;
  fetch: Fetch;
}

export interface RequestOptions {
  /** Undefined values are left out. */
  query?: Record<string, string | number | boolean | undefined>;
  /** Sent as JSON. */
  body?: unknown;
}

/** A page: `limit` 1 to 100 (20 when absent), `cursor` the `next_cursor` of the page before. */
export interface ListOptions {
  limit?: number;
  cursor?: string;
}

const TIMEOUT = 30_000;
const MAX_BYTES = 10_000_000;

/** REST calls with the secret key, which acts on its tenant's pool of users. */
export class Management {
  readonly #options: ManagementOptions;

  constructor(options: ManagementOptions) {
    this.#options = options;
  }

  /** @throws SallyportError the appliance's envelope; `configuration_error` without a key; `unreachable` */
  async request<T = unknown>(method: string, path: `/${string}`, { query, body }: RequestOptions = {}): Promise<T> {
    const { baseUrl, applicationId, apiKey, fetch } = this.#options;
    if (apiKey === undefined) throw configurationError("apiKey is missing: pass it, or set SALLYPORT_API_KEY.");
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) search.set(name, String(value));
    const suffix = search.toString() === "" ? "" : `?${search}`;
    const response = await requestJson(fetch, {
      url: `${baseUrl}${path}${suffix}`,
      method,
      headers: { authorization: `Bearer ${apiKey}`, "x-application-id": applicationId },
      body,
      timeoutMs: TIMEOUT,
      maxBytes: MAX_BYTES,
    });
    return response.body as T;
  }

  listUsers(options: ListOptions = {}): Promise<UserPage> {
    return this.request<UserPage>("GET", "/v1/users", { query: { ...options } });
  }
}

/** As `GET /v1/users` answers. */
export type UserPage = Api["users"]["list"]["output"];
