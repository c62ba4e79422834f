import type { AnyProcedure } from "@trpc/server";

/** Procedures by name, in branches: `{ auth: { login } }`. */
export interface ProcedureTree {
  readonly [name: string]: AnyProcedure | ProcedureTree;
}
