import { expect, test } from "bun:test";
import { initTRPC } from "@trpc/server";
import { z } from "zod";
import packageJson from "../../package.json";
import { proceduresOf } from "../../src/http/rest.ts";

/**
 * Both doors walk `router._def.procedures` and call what they find there, which tRPC does not promise. This watches the shape
 * of the pinned version: when an update turns it red, `src/http/rest.ts` and `src/http/trpc.ts` are what to look at.
 */
const t = initTRPC.context<{ who: string }>().meta<{ summary: string }>().create();
const order: string[] = [];
const router = t.router({
  deep: {
    er: t.procedure
      .meta({ summary: "deep" })
      .use(({ ctx, next }) => {
        order.push("gate");
        return next({ ctx: { ...ctx, admitted: true } });
      })
      .input((value) => {
        order.push("input");
        return z.strictObject({ n: z.number() }).parse(value);
      })
      .output((value) => value as { seen: unknown })
      .query(({ ctx, input }) => ({ seen: [ctx.who, ctx.admitted, input.n] })),
  },
  change: t.procedure.mutation(() => "changed"),
});
const call = (input: unknown) => ({
  ctx: { who: "ada" },
  getRawInput: async () => input,
  path: "deep.er",
  type: "query",
  signal: undefined,
  batchIndex: 0,
});

test("the versions of client and server are pinned, and equal", () => {
  expect(packageJson.devDependencies["@trpc/server"]).toMatch(/^\d+\.\d+\.\d+$/);
  expect(packageJson.devDependencies["@trpc/client"]).toBe(packageJson.devDependencies["@trpc/server"]);
});

test("procedures stand flat under dotted names, with type, meta and inputs", () => {
  const procedures = proceduresOf(router);
  expect(Object.keys(procedures)).toEqual(["deep.er", "change"]);
  expect(procedures["deep.er"]?._def).toMatchObject({ type: "query", meta: { summary: "deep" } });
  expect(procedures["deep.er"]?._def.inputs).toHaveLength(1);
  expect(procedures.change?._def).toMatchObject({ type: "mutation", inputs: [] });
});

test("names of Object's prototype are no procedures", () => {
  expect(Object.getPrototypeOf(proceduresOf(router))).toBeNull();
});

test("a procedure is called with one object, and the gate runs before the input is read", async () => {
  const procedure = proceduresOf(router)["deep.er"];
  order.length = 0;
  expect((await procedure?.(call({ n: 7 }))) as unknown).toEqual({ seen: ["ada", true, 7] });
  expect(order).toEqual(["gate", "input"]);
});

test("wrong input is a TRPCError with the ZodError as its cause, and a thrown error is its own cause", async () => {
  const error = await proceduresOf(router)
    ["deep.er"]?.(call({ n: "7" }))
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: "TRPCError", code: "BAD_REQUEST", cause: { name: "ZodError" } });
});
