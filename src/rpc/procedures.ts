import { type AnyRouter, initTRPC, type TRPCProcedureBuilder, type TRPCUnsetMarker } from "@trpc/server";
import type { ErrorCode } from "../core/errors.ts";
import type * as z from "../core/zod.ts";
import type { Scope } from "../identity/api-keys/scopes.ts";
import type { Identity } from "../identity/identity.ts";
import type { Call } from "./call.ts";
import { toAppError, toEnvelope } from "./errors.ts";
import { type Access, Gate, type StepUpNeed } from "./gate.ts";
import type { ProcedureTree } from "./tree.ts";

/** The description of a procedure, for the gate, the REST transport, OpenAPI and the generated client. */
export interface ProcedureMeta {
  summary: string;
  description?: string;
  access: Access;
  /** The schema of the answer. It does not run on each call; the tests check every answer against it. */
  output: z.ZodType;
  /** Takes Idempotency-Key: a repeated call within a day gets the earlier result and changes nothing. */
  repeatable?: boolean;
  /** The number of writes that a call takes from the session's budget. The default is one for a mutation. */
  writes?: number;
  /** Codes that the procedure can answer in addition to those of every procedure. */
  errors: readonly ErrorCode[];
  /**
   * The REST address, for other languages. `also` is a second status of success, which the procedure chooses by
   * `reply.status`. Ids in the path are in braces: `/v1/auth/sessions/{id}`.
   */
  rest?: { method: "GET" | "POST" | "PATCH" | "DELETE"; path: `/v1/${string}`; status?: 200 | 201 | 202; also?: 202 };
  /** Input and output for the reference. */
  example?: { input?: unknown; output?: unknown };
}

type Described<Output> = Omit<ProcedureMeta, "access" | "output"> & { output: z.ZodType<Output> };

export interface Context {
  call: Call;
}

const t = initTRPC
  .context<Context>()
  .meta<ProcedureMeta>()
  .create({
    errorFormatter: ({ shape, error, ctx }) => {
      const { error: envelope } = toEnvelope(toAppError(error), ctx?.call.origin.requestId ?? "");
      return { ...shape, message: envelope.message, data: { ...shape.data, error: envelope } };
    },
  });

/** Merges the trees of all features into a router. Two features may share a branch (`auth`), but not a leaf. */
export function mergeTrees(trees: readonly ProcedureTree[]): AnyRouter {
  const merged: Record<string, unknown> = {};
  for (const tree of trees) mergeInto(merged, tree, "");
  return t.router(merged as Parameters<typeof t.router>[0]);
}

function mergeInto(target: Record<string, unknown>, tree: ProcedureTree, path: string): void {
  for (const [name, node] of Object.entries(tree)) {
    if (typeof node === "function") {
      if (name in target) throw new Error(`the procedure ${path}${name} is declared twice`);
      target[name] = node;
    } else {
      if (typeof target[name] === "function") throw new Error(`${path}${name} is a procedure and a branch of others`);
      const branch = (target[name] ?? {}) as Record<string, unknown>;
      target[name] = branch;
      mergeInto(branch, node as ProcedureTree, `${path}${name}.`);
    }
  }
}

/**
 * Types the answer by its schema, and passes it on unchecked, because services build wire objects field by field.
 * (tRPC's own `.output()` would add a step to every call.)
 */
function answering<O, C, M, Over, In, Parsed, E>(
  builder: TRPCProcedureBuilder<C, M, Over, In, Parsed, TRPCUnsetMarker, TRPCUnsetMarker, false, E>,
  _output: z.ZodType<O>,
) {
  return builder as unknown as TRPCProcedureBuilder<C, M, Over, In, Parsed, O, O, false, E>;
}

/** Creates the builders for every feature's procedures. Each builder states the access. */
export function createProcedures(
  identity: Pick<
    Identity,
    | "accessTokens"
    | "apiKeys"
    | "clients"
    | "clock"
    | "customerTokens"
    | "devices"
    | "directory"
    | "refreshService"
    | "secondFactors"
    | "settings"
    | "storage"
    | "writeBudgets"
  >,
) {
  const gate = new Gate(identity);
  return {
    public: <O>(meta: Described<O>) =>
      answering(
        t.procedure
          .meta({ ...meta, access: { kind: "public" } })
          .use(async ({ ctx, type, next }) => next({ ctx: await gate.public(ctx.call, type === "mutation") })),
        meta.output,
      ),
    session: <O>(meta: Described<O>) =>
      answering(
        t.procedure
          .meta({ ...meta, access: { kind: "session" } })
          .use(async ({ ctx, type, next }) =>
            next({ ctx: await gate.session(ctx.call, type === "mutation", meta.writes) }),
          ),
        meta.output,
      ),
    /** Requires a strong and recent enough sign-in. */
    provenSession: <O>(need: StepUpNeed, meta: Described<O>) =>
      answering(
        t.procedure
          .meta({ ...meta, access: { kind: "session", ...need } })
          .use(async ({ ctx, type, next }) =>
            next({ ctx: await gate.provenSession(ctx.call, type === "mutation", need, meta.writes) }),
          ),
        meta.output,
      ),
    flowOrSession: <O>(meta: Described<O>) =>
      answering(
        t.procedure
          .meta({ ...meta, access: { kind: "flow-or-session" } })
          .use(async ({ ctx, type, next }) => next({ ctx: await gate.flowOrSession(ctx.call, type === "mutation") })),
        meta.output,
      ),
    endUser: <O>(scope: "account" | "public", meta: Described<O>) =>
      answering(
        t.procedure
          .meta({ ...meta, access: { kind: "end-user", scope } })
          .use(async ({ ctx, type, next }) => next({ ctx: await gate.endUser(ctx.call, type === "mutation", scope) })),
        meta.output,
      ),
    signOut: <O>(meta: Described<O>) =>
      answering(
        t.procedure
          .meta({ ...meta, access: { kind: "sign-out" } })
          .use(async ({ ctx, next }) => next({ ctx: await gate.signOut(ctx.call) })),
        meta.output,
      ),
    key: <O>(scope: Scope, meta: Described<O>) =>
      answering(
        t.procedure
          .meta({ ...meta, access: { kind: "key", scope } })
          .use(async ({ ctx, path, next }) =>
            next({ ctx: Object.assign(await gate.key(ctx.call, scope), { procedure: path }) }),
          ),
        meta.output,
      ),
  };
}
export type Procedures = ReturnType<typeof createProcedures>;
