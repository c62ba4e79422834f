import type { UserPart, UserQuery } from "../core/feature.ts";
import type * as z from "../core/zod.ts";
import type { Executor } from "../storage/storage.ts";

type Shape = Readonly<Record<string, z.ZodType>>;
type Values<S extends Shape> = { readonly [K in keyof S]: z.output<S[K]> };

/** Declares a part of a document about a user. Its example and its answer must match the schema. */
export function defineUserPart<const S extends Shape>(part: {
  schema: S;
  example: Values<S>;
  read(at: Executor, query: UserQuery): Promise<Values<S>>;
}): UserPart<Executor> {
  return part;
}

/**
 * Joins many parts into one, in their order.
 * @throws Error if two of them have the same member
 */
export function joinUserParts(parts: readonly UserPart<Executor>[]): UserPart<Executor> {
  const schema: Record<string, z.ZodType> = {};
  for (const part of parts) {
    for (const [name, type] of Object.entries(part.schema)) {
      if (name in schema)
        throw new Error(`Two parts of a user's document have the member ${name}. Rename one of the two.`);
      schema[name] = type;
    }
  }
  return {
    schema,
    example: Object.assign({}, ...parts.map(({ example }) => example)),
    read: async (at, query) => {
      const values: Record<string, unknown> = {};
      for (const part of parts) Object.assign(values, await part.read(at, query));
      return values;
    },
  };
}
