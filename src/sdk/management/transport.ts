import type * as NodeCrypto from "node:crypto";
import { configurationError, SallyportError } from "../internal/errors.ts";
import { type Fetch, requestJson } from "../internal/http.ts";
import { nodeBuiltin } from "../internal/node-builtin.ts";
import type { Grant } from "./grant.ts";
import type { Retries } from "./retries.ts";

export interface CallOptions {
  /** Undefined and null values are left out. */
  query?: Record<string, string | number | boolean | null | undefined> | undefined;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as Idempotency-Key: the appliance runs the calls of one key once. POST makes its own key. */
  idempotencyKey?: string;
}

export interface TransportOptions {
  tenantUrl: string;
  fetch: Fetch;
  timeoutMs: number;
  grant: Grant;
  retries: Retries;
}

const MAX_BYTES = 10_000_000;
/** RFC 9110 section 9.2.2. PATCH is missing: a repeat would undo another caller's change. */
const IDEMPOTENT = new Set(["GET", "HEAD", "PUT", "DELETE"]);

/** One REST call, with a token and with retries where they are safe. */
export class Transport {
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /** @throws SallyportError the appliance's envelope; the grant's refusal; `unreachable`, `unexpected_response` */
  async call<T>(method: string, path: `/${string}`, { query, body, idempotencyKey }: CallOptions = {}): Promise<T> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined && value !== null) search.set(name, String(value));
    }
    const suffix = search.toString() === "" ? "" : `?${search}`;
    const key = idempotencyKey ?? (method === "POST" ? await newKey() : undefined);
    const attempt = () => this.#attempt<T>(method, `${this.#options.tenantUrl}${path}${suffix}`, body, key);
    return this.#options.retries.run(attempt, key !== undefined || IDEMPOTENT.has(method));
  }

  async #attempt<T>(method: string, url: string, body: unknown, key: string | undefined): Promise<T> {
    const { grant } = this.#options;
    const token = await grant.token();
    try {
      return await this.#send<T>(method, url, body, key, token);
    } catch (error) {
      if (!(error instanceof SallyportError) || error.status !== 401) throw error;
      // The appliance refused it before it did anything, so the call is sent again with a token that is certainly new.
      grant.drop(token);
      return await this.#send<T>(method, url, body, key, await grant.token());
    }
  }

  async #send<T>(method: string, url: string, body: unknown, key: string | undefined, token: string): Promise<T> {
    const { fetch, timeoutMs } = this.#options;
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (key !== undefined) headers["idempotency-key"] = key;
    const answer = await requestJson(fetch, { url, method, headers, body, timeoutMs, maxBytes: MAX_BYTES });
    return answer.body as T;
  }
}

/** Node 18 has no global crypto without a flag. */
async function newKey(): Promise<string> {
  const { crypto } = globalThis as { crypto?: Crypto };
  const random = crypto ?? (await nodeBuiltin<typeof NodeCrypto>("node:crypto"))?.webcrypto;
  if (!random) throw configurationError("This runtime has no source of random numbers. Pass idempotencyKey.");
  return random.randomUUID();
}
