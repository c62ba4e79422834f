import * as z from "../../src/core/zod.ts";
import type { ProcedureLike } from "../generate/api-types.ts";

/** Returns the names of the procedures whose answer may hold an access token: the ways to a session. */
export function sessionProcedures(procedures: Record<string, ProcedureLike>): string[] {
  return Object.entries(procedures)
    .filter(([, { _def }]) => keysOf((_def.meta as { output?: unknown } | undefined)?.output).has("access_token"))
    .map(([name]) => name)
    .sort();
}

/** Returns the name of every field in a schema, at any depth. */
export function keysOf(schema: unknown): Set<string> {
  const keys = new Set<string>();
  if (!(schema instanceof z.ZodType)) return keys;
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === "properties") for (const name of Object.keys(inner as object)) keys.add(name);
      visit(inner);
    }
  };
  visit(z.toJSONSchema(schema, { unrepresentable: "any", io: "input" }));
  return keys;
}
