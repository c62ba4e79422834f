import { fromEnvelope, fromOAuthError, SallyportError, unexpectedResponse, unreachable } from "./errors.ts";

/** `fetch`, or a replacement of the same shape. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** The platform's fetch, looked up at each call: test tools and tracers replace it after import. */
export const platformFetch: Fetch = (url, init) => globalThis.fetch(url, init);

export interface JsonRequest {
  url: string;
  method?: string;
  headers?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as a form instead, as OAuth's token endpoint wants it. */
  form?: URLSearchParams;
  /** Reads the answer more strictly than as any JSON. @returns null or undefined for an answer that it refuses */
  parse?: (text: string) => unknown;
  /** Milliseconds for the whole exchange, the body included. */
  timeoutMs: number;
  /** Bytes of the answer beyond which it is dropped unread. */
  maxBytes: number;
  credentials?: RequestCredentials | undefined;
  /** The exchange goes on when the page that began it is left: the cookies of its answer must not be lost. */
  keepalive?: boolean | undefined;
}

export interface JsonResponse {
  status: number;
  headers: Headers;
  /** undefined for 304 and for an empty body. */
  body: unknown;
}

/**
 * One JSON exchange in bounded time and memory. A redirect is not followed: the address comes from configuration, and a
 * credential must not travel to another.
 * @throws SallyportError the answer's envelope; `unreachable`; `unexpected_response`
 */
export async function requestJson(fetch: Fetch, request: JsonRequest): Promise<JsonResponse> {
  const { url, timeoutMs, maxBytes } = request;
  const headers: Record<string, string> = { accept: "application/json", ...request.headers };
  // Not "error": edge runtimes know only "follow" and "manual".
  const init: RequestInit = { method: request.method ?? "GET", headers, redirect: "manual" };
  init.signal = AbortSignal.timeout(timeoutMs);
  if (request.credentials !== undefined) init.credentials = request.credentials;
  if (request.keepalive !== undefined) init.keepalive = request.keepalive;
  if (request.body !== undefined) {
    headers["content-type"] = "application/json";
    init.body = JSON.stringify(request.body);
  }
  // Of this type by itself, but under another name than every server knows: with a charset.
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
    fromOAuthError(body, response.status, response.headers) ??
    unexpectedResponse(url, response.status, body === undefined ? "something that is not JSON" : "no error envelope")
  );
}

/** The body as text, or null once it passes the cap; what is left is cancelled, not downloaded. */
async function readCapped(response: Response, maxBytes: number): Promise<string | null> {
  if (!response.body) return "";
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
