import { describe, expect, test } from "bun:test";
import { initTRPC } from "@trpc/server";
import { z } from "zod";
import { type ProcedureLike, renderApiTypes } from "../../scripts/generate/api-types.ts";

const t = initTRPC.meta<object>().create();

/** Renders a procedure `thing.do` with these schemas, in one line. */
function render(output: z.ZodType, input?: z.ZodType): string {
  const base = t.procedure.meta({ output });
  const procedure = (input ? base.input(input) : base).query(() => null);
  return flat(renderApiTypes({ "thing.do": procedure as unknown as ProcedureLike }));
}

function flat(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

describe("types", () => {
  test.each<[string, z.ZodType, string]>([
    ["objects", z.object({ a: z.string(), b: z.number().optional() }), "ThingDoOutput { a: string; b?: number; }"],
    ["nullable", z.object({ a: z.string().nullable() }), "a: string | null;"],
    ["enums", z.object({ a: z.enum(["x", "y"]) }), 'a: "x" | "y";'],
    ["literals", z.object({ a: z.literal("x"), b: z.literal([1, 2]) }), 'a: "x"; b: 1 | 2;'],
    ["booleans and integers", z.object({ a: z.boolean(), b: z.int() }), "a: boolean; b: number;"],
    ["arrays of unions", z.object({ a: z.array(z.union([z.string(), z.number()])) }), "a: Array<string | number>;"],
    ["tuples", z.object({ a: z.tuple([z.string(), z.number()]) }), "a: [string, number];"],
    ["records", z.object({ a: z.record(z.string(), z.unknown()) }), "a: Record<string, unknown>;"],
    ["open objects", z.looseObject({ a: z.string() }), "{ a: string; [key: string]: unknown; }"],
    ["no fields", z.object({}), "type ThingDoOutput = Record<string, never>;"],
    ["dates as text", z.object({ a: z.date(), b: z.iso.datetime() }), "a: string; b: string;"],
    ["unknown", z.object({ a: z.unknown(), b: z.any() }), "a: unknown; b: unknown;"],
    ["intersections", z.intersection(z.union([z.string(), z.number()]), z.string()), "(string | number) & (string);"],
    ["keys that need quotes", z.object({ "a-b": z.string() }), '"a-b": string;'],
    ["descriptions", z.object({ a: z.string().describe("Ends */ here.") }), "/** Ends *\\/ here. */ a: string;"],
    [
      "unions of objects",
      z.discriminatedUnion("s", [z.object({ s: z.literal("a") }), z.object({ s: z.literal("b"), n: z.number() })]),
      'type ThingDoOutput = { s: "a"; } | { s: "b"; n: number; };',
    ],
  ])("%s", (_name, schema, expected) => {
    expect(render(schema)).toContain(expected);
  });

  test("shapes with an id are written once", () => {
    const user = z.object({ id: z.string() }).meta({ id: "person" });
    const text = render(z.object({ data: z.array(user), first: user.nullable() }));
    expect(text).toContain("export interface Person { id: string; }");
    expect(text).toContain("data: Array<Person>; first: Person | null;");
    expect(text.split("interface Person ")).toHaveLength(2);
  });

  test("a recursive schema refers to itself", () => {
    const tree: z.ZodType = z.lazy(() => z.object({ children: z.array(tree) }));
    expect(render(z.object({ root: tree }))).toMatch(/ThingDoOutputPart\d { children: Array<ThingDoOutputPart\d>; }/);
  });

  test("inputs accept undefined for optional fields, and have the sent type rather than the parsed one", () => {
    const input = z.object({ limit: z.int().default(20), q: z.string().transform((text) => text.length) });
    expect(render(z.object({}), input)).toContain("ThingDoInput { limit?: number | undefined; q: string; }");
  });

  test("show whether a call needs an argument", () => {
    const output = z.object({});
    expect(render(output)).toContain('do: { kind: "query"; input: undefined; output: ThingDoOutput };');
    expect(render(output, z.object({ a: z.string() }))).toContain("input: ThingDoInput;");
    expect(render(output, z.object({ a: z.string() }).optional())).toContain("input: ThingDoInput | undefined;");
  });
});

describe("the file", () => {
  const procedure = (meta: object, kind: "query" | "mutation" = "query") => {
    const base = t.procedure.meta({ output: z.object({}), ...meta });
    return (kind === "query" ? base.query(() => null) : base.mutation(() => null)) as unknown as ProcedureLike;
  };

  test("does not depend on the order of the procedures", () => {
    const [a, b] = [procedure({ summary: "A." }), procedure({ summary: "B." }, "mutation")];
    expect(renderApiTypes({ "x.a": a, "x.b": b })).toBe(renderApiTypes({ "x.b": b, "x.a": a }));
  });

  test("nests by path and documents each procedure", () => {
    const documented = procedure({
      summary: "Does it.",
      access: { kind: "key", scope: "users:read" },
      rest: { method: "POST", path: "/v1/x" },
      errors: ["conflict"],
    });
    const text = flat(renderApiTypes({ "auth.password.change": documented, top: procedure({}, "mutation") }));
    expect(text).toContain(
      "/** * Does it. * REST: POST /v1/x * Access: key, scope users:read * Errors: conflict */ change: { kind",
    );
    expect(text).toContain("export interface Api { auth: { password: { /**");
    expect(text).toContain('top: { kind: "mutation";');
  });

  test("imports nothing", () => {
    expect(renderApiTypes({ a: procedure({}) })).not.toContain("import");
  });

  test.each<[string, Record<string, ProcedureLike>, string]>([
    ["a missing output", { a: procedure({ output: undefined }) }, "a: meta.output is not a zod schema"],
    ["a type that JSON cannot hold", { a: procedure({ output: z.object({ n: z.bigint() }) }) }, "a: the output schema"],
    ["a procedure that holds others", { a: procedure({}), "a.b": procedure({}) }, "a is a procedure"],
  ])("%s is an error that names the procedure", (_name, procedures, message) => {
    expect(() => renderApiTypes(procedures)).toThrow(message);
  });

  test("two schemas with the same name are refused", () => {
    const named = (shape: z.ZodRawShape) => z.object({ it: z.object(shape).meta({ id: `n-${Object.keys(shape)}` }) });
    const clash = z.object({ it: z.object({ b: z.string() }).meta({ id: "N-a" }) });
    const procedures = { a: procedure({ output: named({ a: z.string() }) }), b: procedure({ output: clash }) };
    expect(() => renderApiTypes(procedures)).toThrow("two different schemas have the name NA");
  });
});
