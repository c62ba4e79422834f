import type { AnyRouter } from "@trpc/server";
import type { Call } from "./call.ts";
import type { ProcedureMeta } from "./procedures.ts";

/** A procedure in tRPC's own form: internals of the pinned version. */
export interface Callable {
  _def: {
    type: "query" | "mutation" | "subscription";
    meta?: ProcedureMeta;
    inputs: unknown[];
    /** The gate, the check of the input, and finally a middleware that calls the resolver. */
    middlewares: readonly Middleware[];
    resolver: (options: { ctx: object; input: unknown; type: string; path: string; signal: undefined }) => unknown;
  };
}

interface Passed {
  ctx?: object;
  input?: unknown;
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
  next: (more?: Passed) => Result;
}) => Promise<Result>;
type Result = { ok: boolean; error?: unknown };

/** The result of `next`. A middleware here runs before its procedure and never around it. */
const PASSED: Result = { ok: true };

export function proceduresOf(router: AnyRouter): Record<string, Callable> {
  return router._def.procedures as unknown as Record<string, Callable>;
}

/**
 * Runs a procedure's middlewares one after the other, then its resolver, and throws any error of the procedure. tRPC's
 * own caller nests them, with up to three promises and copies of its options per step, which took longer than reading
 * the session.
 */
export async function invoke(
  procedure: Callable,
  path: string,
  call: Call,
  getRawInput: () => Promise<unknown>,
): Promise<unknown> {
  const { middlewares, meta, type, resolver } = procedure._def;
  let ctx: object = { call };
  let input: unknown;
  let passed = 0;
  const next = (more?: Passed): Result => {
    passed++;
    if (more?.ctx) ctx = { ...ctx, ...more.ctx };
    if (more && "input" in more) input = more.input;
    return PASSED;
  };
  const before = middlewares.length - 1;
  for (let index = 0; index < before; index++) {
    const middleware = middlewares[index];
    const options = { ctx, type, path, input, getRawInput, meta, signal: undefined, batchIndex: 0, next };
    const result = await middleware?.(options);
    // Default deny: a middleware that neither throws nor calls `next` has not admitted the call.
    if (result !== PASSED || passed !== index + 1) throw result?.error ?? new Error(`${path} was not let through`);
  }
  return resolver({ ctx, input, type, path, signal: undefined });
}
