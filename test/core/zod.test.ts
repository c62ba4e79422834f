import { describe, expect, test } from "bun:test";
import { initTRPC } from "@trpc/server";
import { ZodObject, ZodType } from "zod";
import * as z from "../../src/core/zod.ts";

/** Declares a schema whose build is visible: zod reads the members of an enum as it builds it. */
function watched() {
  const built: string[] = [];
  const kinds: { kind: string } = Object.defineProperty({ kind: "a" }, "kind", {
    enumerable: true,
    get: () => {
      built.push("kind");
      return "a";
    },
  });
  return { schema: z.strictObject({ kind: z.enum(kinds) }), built };
}

describe("schemas that are built at their first use", () => {
  test("a declaration and the methods that derive from it build nothing", () => {
    const { schema, built } = watched();
    const derived = schema
      .extend({ age: z.int().min(1).nullish() })
      .nullable()
      .optional()
      .describe("A person.");
    initTRPC.create().procedure.input(derived);
    expect(built).toEqual([]);
    expect(derived.parse({ kind: "a", age: 36 })).toEqual({ kind: "a", age: 36 });
    expect(built).not.toEqual([]);
  });

  test("they check, refuse and transform as zod's own do", () => {
    const input = z.strictObject({
      id: z.uuid(),
      at: z.iso.datetime().nullable(),
      kind: z.enum(["a", "b"]).default("a"),
      limit: z.coerce.number().int().min(1).max(9).default(2),
      tags: z.array(z.literal("x")).max(1),
      more: z.record(z.string(), z.unknown()).optional(),
      nothing: z.null(),
      name: z
        .string()
        .trim()
        .toLowerCase()
        .min(1)
        .refine((name) => name !== "root", "is reserved"),
    });
    const id = "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f";
    const given = { id, at: null, limit: "3", tags: ["x"], nothing: null, name: " ADA " };
    expect(input.parse(given)).toEqual({ id, at: null, kind: "a", limit: 3, tags: ["x"], nothing: null, name: "ada" });
    const wrong = input.safeParse({ ...given, name: "root", limit: "10", extra: 1 });
    expect(wrong.error?.issues.map(({ path, message, code }) => [path.join("."), code, message])).toEqual([
      ["limit", "too_big", expect.any(String)],
      ["name", "custom", "is reserved"],
      ["", "unrecognized_keys", expect.any(String)],
    ]);
  });

  test("a union tells its members by their literals", () => {
    const no = z.strictObject({ status: z.literal("no"), why: z.string() });
    const answer = z.discriminatedUnion("status", [z.strictObject({ status: z.literal("yes") }), no]);
    expect(answer.parse({ status: "no", why: "x" })).toEqual({ status: "no", why: "x" });
    expect(answer.safeParse({ status: "maybe" }).success).toBe(false);
    expect(z.union([z.boolean(), z.number()]).parse(1)).toBe(1);
  });

  test("a schema with an id is one component of a JSON schema, wherever it is used", () => {
    const user = z.strictObject({ id: z.uuid() }).meta({ id: "ZodTestUser" });
    const all = z.strictObject({ first: user, others: z.array(user), either: z.union([user, z.null()]) });
    const $ref = "#/$defs/ZodTestUser";
    expect(z.toJSONSchema(all)).toMatchObject({
      properties: { first: { $ref }, others: { items: { $ref } }, either: { anyOf: [{ $ref }, { type: "null" }] } },
    });
    expect(z.toJSONSchema(user)).toMatchObject({ $ref });
    expect(Object.keys(user.meta() ?? {})).toEqual(["id"]);
  });

  test("a schema that is in use may be derived from again", () => {
    const name = z.string().min(2);
    expect(name.parse("Ada")).toBe("Ada");
    const described = z.strictObject({ name: name.default("Bob").describe("A name."), other: name.catch("none") });
    expect(z.toJSONSchema(described)).toMatchObject({
      properties: { name: { minLength: 2, default: "Bob", description: "A name." }, other: { minLength: 2 } },
    });
    expect(described.parse({ other: "x" })).toEqual({ name: "Bob", other: "none" });
  });

  test("other code sees zod's own classes and properties", () => {
    const schema = z.object({ name: z.string() });
    expect(schema).toBeInstanceOf(ZodType);
    expect(schema).toBeInstanceOf(ZodObject);
    expect(Object.keys(schema.shape)).toEqual(["name"]);
    expect("~standard" in schema).toBe(true);
    expect("parse" in schema).toBe(true);
    expect("no such member" in schema).toBe(false);
  });
});
