import type { AnyRouter } from "@trpc/server";
import { AppError, invalidField } from "../core/errors.ts";
import { invoke, proceduresOf } from "../rpc/invoke.ts";
import { readJson } from "./body.ts";
import type { CallFactory } from "./call-factory.ts";
import type { Edge, Exchange, Handler } from "./edge.ts";

export interface RestRoute {
  method: string;
  /** The path with Bun's parameters: `/v1/auth/sessions/:id`. */
  path: string;
  handler: Handler;
}

/**
 * Builds the REST transport: every procedure that names a method and a path, with the same validation, gate and errors.
 */
export function restRoutes(router: AnyRouter, edge: Edge, calls: CallFactory): RestRoute[] {
  const routes: RestRoute[] = [];
  for (const [name, procedure] of Object.entries(proceduresOf(router))) {
    const rest = procedure._def.meta?.rest;
    if (!rest) continue;
    const status = rest.status ?? 200;
    const params = [...rest.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
    const takesInput = procedure._def.inputs.length > 0;
    routes.push({
      method: rest.method,
      path: rest.path.replaceAll(/\{(\w+)\}/g, ":$1"),
      handler: async (exchange) => {
        const call = calls.open(exchange, "rest");
        try {
          const data = await invoke(
            procedure,
            name,
            call,
            takesInput ? () => readInput(exchange, rest.method, params) : noInput,
          );
          const closing = calls.close(exchange, call);
          if (closing) await closing;
          return edge.json(exchange, call.reply.status ?? status, data);
        } catch (error) {
          await calls.close(exchange, call);
          throw error;
        }
      },
    });
  }
  return routes;
}

const noInput = async () => undefined;

/**
 * Reads the query of a GET or DELETE, the JSON body of other methods, and the ids of the path, which only the path may
 * give.
 */
async function readInput({ request }: Exchange, method: string, params: string[]): Promise<unknown> {
  const body = method === "GET" || method === "DELETE" ? readQuery(request.url) : await readJson(request);
  if (params.length === 0) return body ?? (method === "POST" ? {} : undefined);
  if (body !== undefined && (typeof body !== "object" || body === null || Array.isArray(body))) {
    throw invalidField("", "the body must be a JSON object");
  }
  const input: Record<string, unknown> = { ...body };
  for (const name of params) {
    if (Object.hasOwn(input, name)) throw invalidField(name, "is taken from the path");
    input[name] = decode(request, name);
  }
  return input;
}

function decode(request: Exchange["request"], name: string): string {
  const value = request.params?.[name];
  if (value === undefined) throw new AppError("not_found");
  return value;
}

/** One name and one value without any encoding. Most queries look like this, and need no URLSearchParams. */
const ONE_PLAIN = /^([\w-]+)=([\w.~-]*)$/;

function readQuery(url: string): Record<string, string> | undefined {
  const start = url.indexOf("?");
  if (start === -1) return undefined;
  const plain = ONE_PLAIN.exec(url.slice(start + 1));
  if (plain?.[1] !== undefined && plain[1] !== "__proto__") return { [plain[1]]: plain[2] ?? "" };
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(url.slice(start))) {
    if (Object.hasOwn(query, name) || name === "__proto__") throw invalidField(name, "must be given once");
    query[name] = value;
  }
  return query;
}
