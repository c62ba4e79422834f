import { fromEnvelope, fromOAuthError, SallyportError, unexpectedResponse, unreachable } from "./errors.ts";
import type { PlatformForm, PlatformHeaders, PlatformInit, PlatformResponse } from "./platform.ts";
import { timeoutSignal } from "./signals.ts";

/** `fetch`, or a replacement of the same shape. */
export type Fetch = (url: string, init?: PlatformInit) => Promise<PlatformResponse>;

/** The platform's fetch, looked up at each call, because test tools and tracers replace it after import. */
export const platformFetch: Fetch = (url, init) => globalThis.fetch(url, init);

export interface JsonRequest {
  url: string;
  method?: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as a form instead, for OAuth's token endpoint. */
  form?: PlatformForm;
  /** Reads the answer more strictly than plain JSON. @returns null or undefined for an answer that it refuses */
  parse?: (text: string) => unknown;
  /** Milliseconds for the whole exchange, with the body. */
  timeoutMs: number;
  /** The most bytes of an answer; a larger one is dropped. */
  maxBytes: number;
  credentials?: "include" | "omit" | "same-origin" | undefined;
  /** The exchange goes on when the user leaves the page, so that the cookies of its answer are not lost. */
  keepalive?: boolean | undefined;
}

export interface JsonResponse {
  status: number;
  headers: PlatformHeaders;
  /** undefined for 304 and for an empty body. */
  body: unknown;
}

/**
 * One JSON exchange in bounded time and memory. It follows no redirect: the address comes from configuration, and a credential
 * must not travel to another.
 * @throws SallyportError the answer's envelope; `unreachable`; `unexpected_response`
 */
export async function requestJson(fetch: Fetch, request: JsonRequest): Promise<JsonResponse> {
  const { url, timeoutMs, maxBytes } = request;
  const headers: Record<string, string> = { accept: "application/json", ...request.headers };
  // Not "error": edge runtimes support only "follow" and "manual".
  const init: RequestInit = { method: request.method ?? "GET", headers, redirect: "manual" };
  init.signal = timeoutSignal(timeoutMs);
  if (request.credentials !== undefined) init.credentials = request.credentials;
  if (request.keepalive !== undefined) init.keepalive = request.keepalive;
  if (request.body !== undefined) {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(request.body);
  }
  // fetch would set this type itself, but with a charset, which some servers do not accept.
  if (request.form !== undefined) {
    headers["content-type"] = "application/x-www-form-urlencoded";
    init.body = request.form.toString();
  }
  let response: Response;
  let text: string | null;
  try {
    response = await fetch(url, init);
    text = await readCapped(response, maxBytes);
  } catch (cause) {
    throw cause instanceof SallyportError ? cause : unreachable(url, cause);
  }
  if (text === null) throw unexpectedResponse(url, response.status, `more than ${maxBytes} bytes`);
  if (response.status === 304) return { status: 304, headers: response.headers, body: undefined };
  const body = request.parse && response.ok ? (request.parse(text) ?? undefined) : parseJson(text);
  if (response.ok && body !== undefined) return { status: response.status, headers: response.headers, body };
  const envelope = (body as { error?: unknown } | null | undefined)?.error;
  throw (
    fromEnvelope(envelope, response.status, response.headers) ??
    (request.form ? fromOAuthError(body, response.status, response.headers) : null) ??
    unexpectedResponse(url, response.status, body === undefined ? "something that is not JSON" : "no error envelope")
  );
}

/** Returns the body as text, or null once it passes the cap. Cancels the rest of the download. */
async function readCapped(response: Response, maxBytes: number): Promise<string | null> {
  // React Native has no streams.
  if (!response.body) return response.text();
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > maxBytes) {
      await reader.cancel();
      return null;
    }
    text += decoder.decode(value, { stream: true });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
