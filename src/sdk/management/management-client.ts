import type {
  ApiKey,
  ManagedApplication,
  ManagedSession,
  ManagedUser,
  NewApiKey,
  Resource,
  ResourcesDeleteOutput,
  UsersDeleteOutput,
} from "../client/api.gen.ts";
import { configurationError, SallyportError } from "../internal/errors.ts";
import { type Fetch, platformFetch } from "../internal/http.ts";
import { parseApplicationId } from "../internal/ids.ts";
import { environment, requireUrl } from "../internal/options.ts";
import type { Page, PageOptions } from "../internal/page.ts";
import { Grant } from "./grant.ts";
import { Listing } from "./listing.ts";
import { Retries } from "./retries.ts";
import { type CallOptions, Transport } from "./transport.ts";
import type {
  ApiKeyRequest,
  NewResource,
  NewUser,
  ResourceChange,
  SessionListOptions,
  UserChange,
  UserListOptions,
} from "./types.ts";

export interface ManagementClientOptions {
  /** The tenant's address. Default `SALLYPORT_TENANT_URL`, else `SALLYPORT_URL`. */
  tenantUrl?: string | undefined;
  /** The M2M application's id, UUID or `app_…`. Default `SALLYPORT_M2M_CLIENT_ID`. */
  clientId?: string | undefined;
  /** `sally_cs_…`. Default `SALLYPORT_M2M_CLIENT_SECRET`. For backends only. */
  clientSecret?: string | undefined;
  /** The tenant's public address, if this backend reaches it by another one. Default `tenantUrl`. */
  issuer?: string | undefined;
  /** Scopes to ask for, separated by spaces. Default: all scopes of the client. */
  scope?: string | undefined;
  /** Attempts after the first, 0 to 10. Default 3. */
  retries?: number | undefined;
  /** Milliseconds for one attempt. Default 30,000. */
  timeout?: number | undefined;
  fetch?: Fetch | undefined;
  /** Milliseconds since the Unix epoch. Default: the system's clock. */
  now?: (() => number) | undefined;
}

/**
 * The management API, for a backend with a machine-to-machine credential. The constructor starts the grant. The first call
 * shares it, and reports its failure. Every call throws SallyportError.
 */
export class ManagementClient {
  readonly #transport: Transport;

  /** @throws SallyportError `configuration_error` that names the missing or wrong option */
  constructor(options: ManagementClientOptions = {}) {
    const url = options.tenantUrl ?? environment("SALLYPORT_TENANT_URL") ?? environment("SALLYPORT_URL");
    const tenantUrl = requireUrl(url, "tenantUrl", "SALLYPORT_TENANT_URL");
    const clientId = parseApplicationId(requireText(options.clientId, "clientId", "SALLYPORT_M2M_CLIENT_ID"));
    if (clientId === null) throw configurationError("clientId must be a UUID, or app_ and 26 characters of base32.");
    const clientSecret = requireText(options.clientSecret, "clientSecret", "SALLYPORT_M2M_CLIENT_SECRET");
    const fetch = options.fetch ?? platformFetch;
    const timeoutMs = within(options.timeout ?? 30_000, 1, 600_000, "timeout");
    const retries = new Retries(within(options.retries ?? 3, 0, 10, "retries"));
    const now = options.now ?? Date.now;
    const { issuer = tenantUrl, scope } = options;
    const grant = new Grant({ tenantUrl, issuer, clientId, clientSecret, scope, fetch, timeoutMs, retries, now });
    this.#transport = new Transport({ tenantUrl, fetch, timeoutMs, grant, retries });
    void grant.token().catch(() => undefined);
  }

  /** The tenant's users, by id in either form. */
  readonly users = {
    list: (options: UserListOptions = {}): Listing<ManagedUser> => this.#list("/v1/users", options),
    get: async (id: string): Promise<ManagedUser> => this.request("GET", `/v1/users/${segment(id)}`),
    create: async (user: NewUser, options: Repeatable = {}): Promise<ManagedUser> =>
      this.request("POST", "/v1/users", { body: user, ...options }),
    update: async (id: string, change: UserChange): Promise<ManagedUser> =>
      this.request("PATCH", `/v1/users/${segment(id)}`, { body: change }),
    delete: async (id: string): Promise<UsersDeleteOutput> => this.request("DELETE", `/v1/users/${segment(id)}`),
  };

  /** The applications that the client may see. */
  readonly applications = {
    list: (options: PageOptions = {}): Listing<ManagedApplication> => this.#list("/v1/applications", options),
    get: async (id: string): Promise<ManagedApplication> => this.request("GET", `/v1/applications/${segment(id)}`),
  };

  /** Live sessions; by id also those that ended in the last 30 days. */
  readonly sessions = {
    list: (options: SessionListOptions = {}): Listing<ManagedSession> => this.#list("/v1/sessions", options),
    get: async (id: string): Promise<ManagedSession> => this.request("GET", `/v1/sessions/${segment(id)}`),
    /** Verifiers refuse its tokens as soon as they learn of it. */
    revoke: async (id: string): Promise<ManagedSession> => this.request("DELETE", `/v1/sessions/${segment(id)}`),
  };

  /** The APIs for which the tenant's tokens may be issued. */
  readonly resources = {
    list: (options: PageOptions = {}): Listing<Resource> => this.#list("/v1/resources", options),
    get: async (id: string): Promise<Resource> => this.request("GET", `/v1/resources/${segment(id)}`),
    create: async (resource: NewResource, options: Repeatable = {}): Promise<Resource> =>
      this.request("POST", "/v1/resources", { body: resource, ...options }),
    update: async (id: string, change: ResourceChange): Promise<Resource> =>
      this.request("PATCH", `/v1/resources/${segment(id)}`, { body: change }),
    delete: async (id: string): Promise<ResourcesDeleteOutput> =>
      this.request("DELETE", `/v1/resources/${segment(id)}`),
  };

  /** API keys of the client's application. */
  readonly apiKeys = {
    list: (options: PageOptions = {}): Listing<ApiKey> => this.#list("/v1/api-keys", options),
    get: async (id: string): Promise<ApiKey> => this.request("GET", `/v1/api-keys/${segment(id)}`),
    create: async (key: ApiKeyRequest, options: Repeatable = {}): Promise<NewApiKey> =>
      this.request("POST", "/v1/api-keys", { body: key, ...options }),
    /** @param overlapSeconds for how long the old secret stays valid; default one day */
    rotate: async (id: string, overlapSeconds?: number, options: Repeatable = {}): Promise<NewApiKey> =>
      this.request("POST", `/v1/api-keys/${segment(id)}/rotate`, {
        body: overlapSeconds === undefined ? {} : { overlap_seconds: overlapSeconds },
        ...options,
      }),
    revoke: async (id: string): Promise<ApiKey> => this.request("DELETE", `/v1/api-keys/${segment(id)}`),
  };

  /** Makes any call of the management API, with the same token, retries and errors. */
  request<T = unknown>(method: string, path: `/${string}`, options?: CallOptions): Promise<T> {
    return this.#transport.call<T>(method, path, options);
  }

  #list<T>(path: `/${string}`, options: PageOptions): Listing<T> {
    const read = (page: PageOptions) => this.request<Page<T>>("GET", path, { query: { ...options, ...page } });
    return new Listing(read, options);
  }
}

/** A key of your own makes a call repeatable even across restarts of your process. */
interface Repeatable {
  idempotencyKey?: string;
}

/** An id as a segment of a path: `..` or `/` would lead to another address, with our credential. */
function segment(id: string): string {
  if (typeof id === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(id)) return id;
  throw new SallyportError({
    code: "invalid_input",
    message: "The id must be a UUID, or a prefix, _ and 26 characters of base32.",
    status: 400,
    type: "invalid_request_error",
  });
}

function requireText(value: string | undefined, option: string, variable: string): string {
  const text = value ?? environment(variable);
  if (text === undefined || text === "") {
    throw configurationError(`${option} is missing. Pass it, or set ${variable}.`);
  }
  return text;
}

function within(value: number, min: number, max: number, option: string): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw configurationError(`${option} must be a whole number between ${min} and ${max}.`);
}
