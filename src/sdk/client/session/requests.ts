import { parseUrl, SallyportError, unexpectedResponse } from "../../internal/errors.ts";
import { requestJson } from "../../internal/http.ts";
import type { Tokens } from "../api.gen.ts";
import type { ClientInternals } from "../credential.ts";
import { readClaims, type SessionClaims } from "./state.ts";

const TIMEOUT = 30_000;
const MAX_BYTES = 1_000_000;

/** The requests that set or clear the session's cookies: by REST, since the refresh cookie's path is `/v1/auth`. */
export class SessionRequests {
  constructor(
    private readonly client: ClientInternals,
    private readonly pageOrigin: string,
  ) {}

  /**
   * @param token the access token to send along
   * @throws SallyportError also `origin_not_allowed`, where the browser hides the answer from this page
   */
  async post(path: string, body: unknown, token: string | null = null): Promise<unknown> {
    return this.send("POST", path, body, token);
  }

  /** As {@link post}, by any method. */
  async send(method: string, path: string, body: unknown, token: string | null): Promise<unknown> {
    try {
      return (await this.#send(method, path, body, token)).body;
    } catch (error) {
      if (!(error instanceof SallyportError) || error.code !== "unreachable" || !(await this.#answers())) throw error;
      throw this.#originRefused();
    }
  }

  /** Whether the session of a token lives. @throws SallyportError when that cannot be learned */
  async isAlive(token: string): Promise<boolean> {
    try {
      await this.#send("GET", "/v1/auth/session", undefined, token);
      return true;
    } catch (error) {
      if (error instanceof SallyportError && error.status === 401) return false;
      throw error;
    }
  }

  async #send(method: string, path: string, body: unknown, token: string | null) {
    const { url, fetch } = this.client;
    return requestJson(fetch, {
      url: `${url}${path}`,
      method,
      headers: { ...(await this.client.headers()), ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
      body,
      timeoutMs: TIMEOUT,
      maxBytes: MAX_BYTES,
      credentials: "include",
      keepalive: true,
    });
  }

  /**
   * A page is not told whether a request failed on the way or was refused to its origin (CORS). An answer that nobody may
   * read tells the two apart.
   */
  async #answers(): Promise<boolean> {
    if (globalThis.navigator?.onLine === false) return false;
    const probe = `${parseUrl(this.client.url)?.origin}/healthz`;
    const init: RequestInit = { mode: "no-cors", credentials: "omit", cache: "no-store" };
    return this.client.fetch(probe, { ...init, signal: AbortSignal.timeout(TIMEOUT) }).then(
      () => true,
      () => false,
    );
  }

  #originRefused(): SallyportError {
    return new SallyportError({
      code: "origin_not_allowed",
      message:
        `${parseUrl(this.client.url)?.origin} is up, but does not answer pages of ${this.pageOrigin} for the application ` +
        `${this.client.applicationId}: check the id, and add the origin to that application's allowed origins.`,
      status: 403,
      type: "authorization_error",
    });
  }
}

/** Tokens as an answer carries them. @throws SallyportError `unexpected_response` for anything else */
export function requireTokens(url: string, body: unknown): { tokens: Tokens; session: SessionClaims } {
  const tokens = body as Partial<Tokens> | null | undefined;
  const session = typeof tokens?.access_token === "string" ? readClaims(tokens.access_token) : null;
  if (!session || typeof tokens?.expires_in !== "number" || !tokens.user) {
    throw unexpectedResponse(url, 200, "no access token");
  }
  return { tokens: tokens as Tokens, session };
}
