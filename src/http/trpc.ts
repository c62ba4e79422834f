import type { AnyRouter } from "@trpc/server";
import { TRPC_ERROR_CODES_BY_KEY } from "@trpc/server/rpc";
import { AppError, invalidField } from "../core/errors.ts";
import type { Call } from "../rpc/call.ts";
import { toEnvelope } from "../rpc/errors.ts";
import { type Callable, invoke, proceduresOf } from "../rpc/invoke.ts";
import { parseInput, readJson } from "./body.ts";
import type { CallFactory } from "./call-factory.ts";
import type { Edge, Exchange, Handler, RefusalShape } from "./edge.ts";
import { pathOf, queryOf } from "./request-target.ts";

/** The most calls in one request, so that a batch cannot evade the limits on requests. */
const MAX_BATCH = 20;

type Item = { status: number; body: string };

/**
 * Serves tRPC's HTTP wire for queries and mutations, batched or not. It is written out here because the stock fetch
 * handler spends more time on streams and negotiation than our own code takes in all. https://trpc.io/docs/rpc
 */
export function trpcHandler(router: AnyRouter, edge: Edge, calls: CallFactory): Handler {
  const procedures = proceduresOf(router);
  return async (exchange) => {
    const call = calls.open(exchange, "trpc");
    const { names, batch, inputs } = await read(exchange).catch(async (error: unknown) => {
      // A page may read a refusal of the whole request, too.
      await calls.close(exchange, call);
      throw error;
    });
    const items = await Promise.all(
      names.map((name, index) =>
        runOne(edge, exchange, call, procedures[name], name, batch ? inputs?.[index] : inputs),
      ),
    );
    await calls.close(exchange, call);
    const first = items[0];
    if (!batch && first) return edge.text(exchange, first.status, first.body);
    const same = items.every((item) => item.status === first?.status);
    return edge.text(exchange, same && first ? first.status : 207, `[${items.map((item) => item.body).join(",")}]`);
  };
}

/** Returns the calls of a request with their inputs. @throws AppError for the whole request */
async function read(exchange: Exchange) {
  const { names, query } = target(exchange.request.url);
  const batch = query.get("batch") === "1";
  if (names.length > MAX_BATCH || (!batch && names.length > 1)) {
    throw invalidField("batch", `takes at most ${MAX_BATCH} calls, with batch=1`);
  }
  return { names, batch, inputs: await readInputs(exchange, query, batch) };
}

/** The most calls that a refusal answers one by one, so that a short request cannot cause a long answer. */
const MAX_REFUSED = 200;

/**
 * Returns a refusal of a whole request in tRPC's shape: once for each call of a batch, because the stock client gives each call
 * the error at its place. Without a list, that client gives the one error to all.
 */
export const trpcRefusal: RefusalShape = (exchange, error) => {
  const path = pathOf(exchange.request.url).replace(PREFIX, "");
  const names = decoded(path)?.split(",") ?? [path];
  const refusal = (name: string) => ({ error: shapeOf(error, name, exchange.origin.requestId) });
  const isBatch = queryOf(exchange.request.url).get("batch") === "1" && names.length <= MAX_REFUSED;
  return isBatch ? names.map(refusal) : refusal(names.length === 1 ? (names[0] ?? "") : "");
};

async function runOne(
  edge: Edge,
  exchange: Exchange,
  call: Call,
  procedure: Callable | undefined,
  path: string,
  input: unknown,
): Promise<Item> {
  try {
    if (!procedure) throw new AppError("not_found", { message: `There is no procedure ${path.slice(0, 100)}.` });
    const { type } = procedure._def;
    const method = type === "mutation" ? "POST" : "GET";
    if (exchange.request.method !== method)
      throw new AppError("method_not_allowed", { message: `Use ${method} for ${path}.` });
    const getRawInput = async () => input;
    const data = await invoke(procedure, path, call, getRawInput);
    return { status: 200, body: `{"result":{"data":${JSON.stringify(data)}}}` };
  } catch (thrown) {
    const error = edge.report(exchange, thrown);
    return { status: error.status, body: JSON.stringify({ error: shapeOf(error, path, exchange.origin.requestId) }) };
  }
}

/** Returns tRPC's error shape with the content of our envelope added. */
function shapeOf(error: AppError, path: string, requestId: string) {
  const key = KEY_BY_STATUS[error.status] ?? "INTERNAL_SERVER_ERROR";
  const { error: envelope } = toEnvelope(error, requestId);
  return {
    message: error.message,
    code: TRPC_ERROR_CODES_BY_KEY[key],
    data: { code: key, httpStatus: error.status, path, error: envelope },
  };
}

const KEY_BY_STATUS: Record<number, keyof typeof TRPC_ERROR_CODES_BY_KEY> = {
  400: "BAD_REQUEST",
  401: "UNAUTHORIZED",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  405: "METHOD_NOT_SUPPORTED",
  409: "CONFLICT",
  413: "PAYLOAD_TOO_LARGE",
  415: "UNSUPPORTED_MEDIA_TYPE",
  429: "TOO_MANY_REQUESTS",
  503: "SERVICE_UNAVAILABLE",
};

const PREFIX = /^(?:\/t\/[^/]*)?\/trpc\//;

/** Returns the text without URL encoding; null if it is not encoded right. */
function decoded(text: string): string | null {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function target(url: string): { names: string[]; query: URLSearchParams } {
  // A tenant may be called trpc: the first such word of the path need not be this one.
  const names = decoded(pathOf(url).replace(PREFIX, ""));
  if (names === null) throw invalidField("path", "is not URL-encoded text");
  return { names: names.split(","), query: queryOf(url) };
}

async function readInputs(exchange: Exchange, query: URLSearchParams, batch: boolean) {
  let value: unknown;
  if (exchange.request.method === "GET") {
    const text = query.get("input");
    if (text !== null) value = parseInput(text, "input", "is not JSON");
  } else {
    value = await readJson(exchange.request);
  }
  if (batch && value !== undefined && (typeof value !== "object" || value === null)) {
    throw invalidField("", "a batch must be an object of inputs by index");
  }
  return value as Record<number, unknown> | undefined;
}
