import type { TRPCClientError } from "@trpc/client";
import { httpBatchLink } from "@trpc/client/links/httpBatchLink";
import { fromEnvelope, SallyportError, unexpectedResponse, unreachable } from "../internal/errors.ts";
import type { Fetch } from "../internal/http.ts";
import { eitherSignal, reasonOf, timeoutSignal } from "../internal/signals.ts";

/** The most calls of one event loop turn in one request. */
const MAX_BATCH = 20;
/** Characters. Some proxies refuse longer addresses. */
const MAX_URL = 2_000;
/** Milliseconds for the whole exchange. */
const TIMEOUT = 30_000;

export type CallKind = "query" | "mutation";

/** Notes on a call on its way. */
export interface CallContext extends Record<string, unknown> {
  /** The token that the call carried. */
  token?: string;
  /** The token for the second attempt. */
  retry?: string;
}

interface WireOptions {
  /** The appliance's address. */
  url: string;
  fetch: Fetch;
  /** Whether the next request carries cookies. */
  credentials: () => RequestCredentials | undefined;
  headers(batch: readonly { context: CallContext }[]): Promise<Record<string, string>>;
}

export type Wire = (
  kind: CallKind,
  path: string,
  input: unknown,
  signal: AbortSignal | undefined,
  context: CallContext,
) => Promise<unknown>;

/**
 * tRPC's wire, by its batching link alone: the whole client would bring sockets and subscriptions into every page.
 * A call rejects with SallyportError, or with the signal's reason.
 */
export function createWire({ url, fetch, credentials: credentialsNow, headers }: WireOptions): Wire {
  async function send(address: string, init: RequestInit): Promise<Response> {
    const credentials = credentialsNow();
    const signal = eitherSignal(timeoutSignal(TIMEOUT), init.signal);
    const response = await whole(fetch, address, { ...init, ...(credentials && { credentials }), signal }).catch(
      (cause: unknown) => {
        throw unreachable(url, cause);
      },
    );
    if (!/\bjson\b/i.test(response.headers.get("content-type") ?? "")) {
      throw unexpectedResponse(url, response.status, "something that is not JSON");
    }
    if (response.ok) return response;
    // A refusal by an address outside of tRPC, such as a wrong path, is one REST envelope for the whole batch.
    const body = (await response
      .clone()
      .json()
      .catch(() => null)) as { error?: unknown } | null;
    const refusal = fromEnvelope(body?.error, response.status, response.headers);
    if (refusal) throw refusal;
    return response;
  }

  const link = httpBatchLink({
    url: `${url}/trpc`,
    headers: ({ opList }) => headers(opList),
    maxItems: MAX_BATCH,
    maxURLLength: MAX_URL,
    fetch: (input, init) => send(String(input), init as RequestInit),
  })({});
  // This is the chain's only link, so nothing may call the next.
  const next = () => {
    throw new Error("this is the last link");
  };
  let id = 0;

  return (type, path, input, signal, context) =>
    new Promise((resolve, reject) => {
      const op = { id: ++id, type, path, input, context, signal: signal ?? null };
      link({ op, next }).subscribe({
        next: ({ result }) => resolve("data" in result ? result.data : undefined),
        error: (error) => reject(signal?.aborted ? reasonOf(signal) : toSallyportError(error, url)),
      });
    });
}

/** Reads the body before the answer counts: an answer whose connection breaks in the middle is lost. */
async function whole(fetch: Fetch, address: string, init: RequestInit): Promise<Response> {
  const response = await fetch(address, init);
  const text = await response.text();
  return new Response(response.body === null ? null : text, response);
}

function toSallyportError(error: TRPCClientError<never>, url: string): SallyportError {
  if (error.cause instanceof SallyportError) return error.cause;
  const { response } = (error.meta ?? {}) as { response?: Pick<Response, "status" | "headers"> };
  const data = error.data as { httpStatus?: unknown; error?: unknown } | null | undefined;
  const status = typeof data?.httpStatus === "number" ? data.httpStatus : (response?.status ?? 200);
  return fromEnvelope(data?.error, status, response?.headers) ?? unexpectedResponse(url, status, "no error envelope");
}
