import type { AnyRouter } from "@trpc/server";
import type { Call } from "./call.ts";
import type { ProcedureMeta } from "./procedures.ts";

/** A procedure as tRPC keeps it: internals of the pinned version. */
export interface Callable {
  _def: {
    type: "query" | "mutation" | "subscription";
    meta?: ProcedureMeta;
    inputs: unknown[];
    /** The gate, the input's check, and last the resolver. */
    middlewares: readonly Middleware[];
  };
}

type Middleware = (options: {
  ctx: object;
  type: string;
  path: string;
  input: unknown;
  getRawInput: () => Promise<unknown>;
  meta: ProcedureMeta | undefined;
  signal: undefined;
  batchIndex: number;
  next: (more?: { ctx?: object; input?: unknown }) => Promise<Result>;
}) => Promise<Result>;
type Result = { ok: true; data: unknown } | { ok: false; error: unknown };

export function proceduresOf(router: AnyRouter): Record<string, Callable> {
  return router._def.procedures as unknown as Record<string, Callable>;
}

/**
 * Runs a procedure through all of its middlewares, as tRPC's own caller does; that one copies its options by property
 * descriptors at every step, which took longer than the session's read. What a procedure throws is thrown here.
 */
export async function invoke(
  procedure: Callable,
  path: string,
  call: Call,
  getRawInput: () => Promise<unknown>,
): Promise<unknown> {
  const { middlewares, meta, type } = procedure._def;
  const run = (index: number, ctx: object, input: unknown): Promise<Result> => {
    const middleware = middlewares[index];
    if (!middleware) throw new Error(`the procedure ${path} has no resolver`);
    const next = (more?: { ctx?: object; input?: unknown }) =>
      run(index + 1, more?.ctx ? { ...ctx, ...more.ctx } : ctx, more && "input" in more ? more.input : input);
    return middleware({ ctx, type, path, input, getRawInput, meta, signal: undefined, batchIndex: 0, next });
  };
  const result = await run(0, { call }, undefined);
  if (!result.ok) throw result.error;
  return result.data;
}
