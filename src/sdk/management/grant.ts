import { SallyportError, unexpectedResponse } from "../internal/errors.ts";
import { type Fetch, requestJson } from "../internal/http.ts";
import { singleFlight } from "../internal/single-flight.ts";
import type { Retries } from "./retries.ts";

export interface GrantOptions {
  tenantUrl: string;
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Separated by spaces; undefined asks for all scopes of the client. */
  scope: string | undefined;
  fetch: Fetch;
  timeoutMs: number;
  retries: Retries;
  now: () => number;
}

interface Token {
  value: string;
  /** Milliseconds since the Unix epoch: from then on, a new token is fetched while calls still use this one. */
  renewAt: number;
  /** From then on, the token is not used. */
  expiresAt: number;
}

const SECOND = 1_000;
const MAX_BYTES = 100_000;
const REFUSED_FOR = 5 * SECOND;
/** Keeps a token from expiring on its way. */
const MARGIN = 10 * SECOND;

/** The client-credentials grant (RFC 6749 section 4.4): one token for all calls, renewed before it ends. */
export class Grant {
  readonly #options: GrantOptions;
  readonly #fetch: () => Promise<Token>;
  #token: Token | null = null;
  /** A wrong secret stays wrong. It is thrown again for a while, so that a busy backend does not reach its network's limit. */
  #refusal: { error: SallyportError; until: number } | null = null;

  constructor(options: GrantOptions) {
    this.#options = options;
    this.#fetch = singleFlight(async () => {
      if (this.#refusal !== null && options.now() < this.#refusal.until) throw this.#refusal.error;
      try {
        this.#token = await options.retries.run(() => this.#request(), true);
        return this.#token;
      } catch (error) {
        const isRefusal = error instanceof SallyportError && error.status >= 400 && error.status < 429;
        this.#refusal = isRefusal ? { error, until: options.now() + REFUSED_FOR } : null;
        throw error;
      }
    });
  }

  /** Returns a token that stays valid on its way. @throws SallyportError the token endpoint's refusal, or `unreachable` */
  async token(): Promise<string> {
    const now = this.#options.now();
    const held = this.#token;
    if (held === null || now >= held.expiresAt) return (await this.#fetch()).value;
    if (now >= held.renewAt) void this.#fetch().catch(() => undefined);
    return held.value;
  }

  /** Called when a token was refused because it is revoked or its key is gone. A newer token that came meanwhile stays. */
  drop(value: string): void {
    if (this.#token?.value === value) this.#token = null;
  }

  async #request(): Promise<Token> {
    const { tenantUrl, issuer, clientId, clientSecret, scope, fetch, timeoutMs, now } = this.#options;
    const audience = `${issuer}/management`;
    // RFC 8707 calls it resource; most older servers call it audience.
    const form = new URLSearchParams({ grant_type: "client_credentials", audience, resource: audience });
    if (scope !== undefined) form.set("scope", scope);
    const asked = now();
    const url = `${tenantUrl}/oauth2/token`;
    const authorization = `Basic ${btoa(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`)}`;
    const headers = { authorization };
    const { body } = await requestJson(fetch, { url, method: "POST", headers, form, timeoutMs, maxBytes: MAX_BYTES });
    const { access_token, token_type, expires_in } = (body ?? {}) as Record<string, unknown>;
    const isBearer = typeof token_type === "string" && token_type.toLowerCase() === "bearer";
    if (typeof access_token !== "string" || access_token === "" || !isBearer) {
      throw unexpectedResponse(url, 200, "no Bearer token");
    }
    const lifetime = typeof expires_in === "number" && expires_in > 0 ? expires_in * SECOND : 60 * SECOND;
    return {
      value: access_token,
      renewAt: asked + lifetime * 0.8,
      expiresAt: asked + Math.max(lifetime / 2, lifetime - MARGIN),
    };
  }
}

/** Id and secret are form-encoded before they are joined (RFC 6749 section 2.3.1). */
function formEncoded(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}
