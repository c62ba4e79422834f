/**
 * zod, whose schemas are built at their first use. The procedures declare some 1,700 schemas, and building all of them took a
 * third of the start and of the idle memory; most of them describe answers, which only the OpenAPI document and the tests read.
 * It says why a value is not valid in our own words. A schema behaves like zod's own in every other respect. Import it as `import * as z from "../core/zod.ts"`.
 */
import * as zod from "zod";
import { inputReason } from "./input-reasons.ts";

export * from "zod";

type Build = () => zod.ZodType;
type Method = (...parameters: unknown[]) => unknown;

/** The methods that return a schema derived from theirs, and so need not build it. All others do. */
const DERIVING = new Set<string | symbol>(
  ["array", "check", "default", "describe", "extend", "int", "length", "lowercase", "max", "meta", "min", "nonnegative"]
    .concat(["nullable", "nullish", "omit", "optional", "overwrite", "partial", "pick", "pipe", "positive", "prefault"])
    .concat(["readonly", "refine", "regex", "superRefine", "toLowerCase", "transform", "trim", "uppercase"]),
);
/** The methods that a procedure's builder takes from a schema without calling them. */
const PARSING = new Set<string | symbol>(["parse", "parseAsync", "safeParse", "safeParseAsync"]);

const builders = new WeakMap<object, Build>();

function lazy(make: Build): zod.ZodType {
  let schema: zod.ZodType | undefined;
  const build = () => (schema ??= make());
  const later = new Proxy({} as zod.ZodType, {
    get: (_, name) => {
      if (DERIVING.has(name)) return deriving(build, name);
      if (PARSING.has(name)) return (value: unknown) => call(build(), name, [value, { error: inputReason }]);
      const member: unknown = Reflect.get(build(), name);
      // A method must see the schema as `this`, never this stand-in.
      return typeof member === "function" ? member.bind(build()) : member;
    },
    // tRPC asks for the mark of a Standard Schema, which all of zod's schemas have.
    has: (_, name) => name === "~standard" || Reflect.has(build(), name),
  });
  builders.set(later, build);
  return later;
}

function deriving(build: Build, name: string | symbol): Method {
  return (...parameters) => {
    const derive = () => call(build(), name, parameters.map(built)) as zod.ZodType;
    // Without a parameter, `meta` reads.
    return name === "meta" && parameters.length === 0 ? derive() : lazy(derive);
  };
}

function call(schema: zod.ZodType, name: string | symbol, parameters: unknown[]): unknown {
  return (Reflect.get(schema, name) as Method).apply(schema, parameters);
}

/** Replaces each stand-in by its zod schema, also in a shape or a list, because zod knows its schemas by identity. */
function built(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const build = builders.get(value);
  if (build) return build();
  if (Array.isArray(value)) return value.map(built);
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, built(inner)]));
}

function lazily<F>(make: F): F {
  return ((...parameters: unknown[]) =>
    lazy(() => (make as Method)(...parameters.map(built)) as zod.ZodType)) as unknown as F;
}

export const toJSONSchema = ((schema: unknown, ...parameters: unknown[]) =>
  (zod.toJSONSchema as Method)(built(schema), ...parameters)) as typeof zod.toJSONSchema;

export const array = lazily(zod.array);
export const boolean = lazily(zod.boolean);
export const discriminatedUnion = lazily(zod.discriminatedUnion);
export const int = lazily(zod.int);
export const literal = lazily(zod.literal);
export const number = lazily(zod.number);
export const object = lazily(zod.object);
export const preprocess = lazily(zod.preprocess);
export const record = lazily(zod.record);
export const strictObject = lazily(zod.strictObject);
export const string = lazily(zod.string);
export const union = lazily(zod.union);
export const unknown = lazily(zod.unknown);
export const uuid = lazily(zod.uuid);
export const iso = { datetime: lazily(zod.iso.datetime) };
const enumeration = lazily(zod.enum);
const nothing = lazily(zod.null);

export { enumeration as enum, nothing as null };
