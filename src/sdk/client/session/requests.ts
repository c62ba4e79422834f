import { pause } from "../../internal/backoff.ts";
import { parseUrl, SallyportError, unexpectedResponse } from "../../internal/errors.ts";
import { requestJson } from "../../internal/http.ts";
import { timeoutSignal } from "../../internal/signals.ts";
import type { Tokens } from "../api.gen.ts";
import type { ClientInternals } from "../credential.ts";
import { isMixedContent } from "./site.ts";
import { readClaims, type SessionClaims } from "./state.ts";
import type { Leaving } from "./vault.ts";

const TIMEOUT = 30_000;
const MAX_BYTES = 1_000_000;
/** Of the probes after a failure, in milliseconds. */
const PROBE_TIMEOUT = 10_000;
const PROBE_PAUSE = 500;
const PROBES = 2;

/**
 * The requests that begin, renew and end a session. They use REST, because the refresh cookie's path is `/v1/auth`. An app without
 * a page sends no cookies.
 */
export class SessionRequests {
  constructor(
    private readonly client: ClientInternals,
    private readonly pageOrigin: string | null,
  ) {}

  /**
   * @param token the access token to send
   * @throws SallyportError also `origin_not_allowed` if the browser hides the answer from this page, and `mixed_content` if it
   * does not even send the request
   */
  async post(path: string, body: unknown, token: string | null = null): Promise<unknown> {
    return this.send("POST", path, body, token);
  }

  /** Like {@link post}, with any method. */
  async send(method: string, path: string, body: unknown, token: string | null): Promise<unknown> {
    const { pageOrigin } = this;
    if (pageOrigin !== null && isMixedContent(pageOrigin, this.client.url)) throw this.#mixedContent();
    try {
      return (await this.#send(method, path, body, token)).body;
    } catch (error) {
      if (!(error instanceof SallyportError) || error.code !== "unreachable" || pageOrigin === null) throw error;
      throw (await this.#isRefusedToOrigin()) ? this.#originRefused() : error;
    }
  }

  /** Ends a session by one of its tokens. A refresh token is first exchanged, because a sign-out takes an access token. */
  async end({ kind, token }: Leaving): Promise<void> {
    let access = token;
    if (kind === "refresh") {
      const answer = await this.post("/v1/auth/refresh", { refresh_token: token });
      access = requireTokens(this.client.url, answer).tokens.access_token;
    }
    await this.post("/v1/auth/logout", {}, access);
  }

  /** Whether a token's session is still alive. @throws SallyportError if that cannot be learned */
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
      credentials: this.pageOrigin === null ? "omit" : "include",
      keepalive: this.pageOrigin === null ? undefined : true,
    });
  }

  /**
   * Browsers do not tell a page whether a request failed on the way or was refused to its origin (CORS). The proof has two
   * parts, and each is asked for more than once, because a network that loses one request may lose the next. A harmless request
   * of the same kind fails, although the same address answers a request whose answer the page need not read (a filter in the
   * network would stop both). And the page can read a document that every origin may read, which a proxy in front of a stopped
   * appliance does not have. The document's address is new each time, so that no cache has it either.
   */
  async #isRefusedToOrigin(): Promise<boolean> {
    for (let probe = 0; probe < PROBES; probe++) {
      if (probe > 0) await pause(PROBE_PAUSE);
      if (globalThis.navigator?.onLine === false) return false;
      const headers = await this.client.headers();
      if (await this.#probe("/v1/auth/session", { headers, credentials: "include" })) return false;
      if (!(await this.#probe("/v1/auth/session", { mode: "no-cors", credentials: "omit" }))) return false;
      const document = `/.well-known/jwks.json?probe=${crypto.getRandomValues(new Uint32Array(2)).join("")}`;
      const witness = await this.#probe(document, { credentials: "omit" });
      if (!witness?.ok) return false;
    }
    return true;
  }

  /** Returns null if there is no answer, or none that the page may have. */
  async #probe(path: string, init: RequestInit): Promise<Response | null> {
    const { url, fetch } = this.client;
    const signal = timeoutSignal(PROBE_TIMEOUT);
    return fetch(`${url}${path}`, { cache: "no-store", ...init, signal }).catch(() => null);
  }

  #originRefused(): SallyportError {
    const { url, applicationId } = this.client;
    return new SallyportError({
      code: "origin_not_allowed",
      message:
        `${parseUrl(url)?.origin} is up, but does not answer pages of ${this.pageOrigin} for the application ` +
        `${applicationId}. Check the id, and add the origin to the application's allowed origins.`,
      status: 403,
      type: "authorization_error",
      details: { origin: this.pageOrigin, application_id: applicationId },
    });
  }

  #mixedContent(): SallyportError {
    const { origin } = parseUrl(this.client.url) ?? { origin: this.client.url };
    return new SallyportError({
      code: "mixed_content",
      message:
        `This page was loaded over https, and browsers do not let it call ${origin}, an http address. ` +
        "Give the appliance an https address.",
      status: 400,
      type: "invalid_request_error",
      details: { origin: this.pageOrigin, url: origin },
    });
  }
}

/** Reads the tokens of an answer. @throws SallyportError `unexpected_response` if it has none */
export function requireTokens(url: string, body: unknown): { tokens: Tokens; session: SessionClaims } {
  const tokens = body as Partial<Tokens> | null | undefined;
  const session = typeof tokens?.access_token === "string" ? readClaims(tokens.access_token) : null;
  if (!session || typeof tokens?.expires_in !== "number" || !tokens.user) {
    throw unexpectedResponse(url, 200, "no access token");
  }
  return { tokens: tokens as Tokens, session };
}
