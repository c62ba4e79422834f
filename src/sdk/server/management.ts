import type { UsersListInput, UsersListOutput } from "../client/api.gen.ts";
import { configurationError } from "../internal/errors.ts";
import { type Fetch, requestJson } from "../internal/http.ts";

export interface ManagementOptions {
  baseUrl: string;
  applicationId: string;
  /** `sally_sk_…`. Calls need it; construction does not, because verification works without it. */
  apiKey: string | undefined;
  fetch: Fetch;
}

export interface RequestOptions {
  /** Undefined and null values are left out. */
  query?: Record<string, string | number | boolean | null | undefined>;
  /** Sent as JSON. */
  body?: unknown;
}

const TIMEOUT = 30_000;
const MAX_BYTES = 10_000_000;

/** REST calls with the secret key, which acts on its tenant's users. */
export class Management {
  readonly #options: ManagementOptions;

  constructor(options: ManagementOptions) {
    this.#options = options;
  }

  /** @throws SallyportError the appliance's envelope; `configuration_error` without a key; `unreachable` */
  async request<T = unknown>(method: string, path: `/${string}`, { query, body }: RequestOptions = {}): Promise<T> {
    const { baseUrl, applicationId, apiKey, fetch } = this.#options;
    if (apiKey === undefined) throw configurationError("apiKey is missing. Pass it, or set SALLYPORT_API_KEY.");
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined && value !== null) search.set(name, String(value));
    }
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

  listUsers(options: UsersListInput = {}): Promise<UsersListOutput> {
    return this.request<UsersListOutput>("GET", "/v1/users", { query: { ...options } });
  }
}
