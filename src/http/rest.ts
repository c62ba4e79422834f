import type { AnyRouter } from "@trpc/server";
import { AppError, invalidField } from "../core/errors.ts";
import type * as z from "../core/zod.ts";
import { invoke, proceduresOf } from "../rpc/invoke.ts";
import { readJson } from "./body.ts";
import type { CallFactory } from "./call-factory.ts";
import type { Edge, Exchange, Handler } from "./edge.ts";
import { type QueryReader, queryReader } from "./query.ts";

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
    const [input] = procedure._def.inputs;
    const query = input === undefined ? null : queryReader(input as z.ZodType);
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
            query ? () => readInput(exchange, rest.method, params, query) : noInput,
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
async function readInput(
  { request }: Exchange,
  method: string,
  params: string[],
  query: QueryReader,
): Promise<unknown> {
  const body = method === "GET" || method === "DELETE" ? query(request.url) : await readJson(request);
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
