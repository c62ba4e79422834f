import { expect, test } from "bun:test";
import { initTRPC } from "@trpc/server";
import { z } from "zod";
import packageJson from "../../package.json";
import type { Call } from "../../src/rpc/call.ts";
import { invoke, proceduresOf } from "../../src/rpc/invoke.ts";

/**
 * Watches the shape of the pinned tRPC version. Both transports read `router._def.procedures` and run the middlewares
 * in it, which tRPC does not promise. If an update turns this red, check `src/rpc/invoke.ts`.
 */
const t = initTRPC.context<{ call: { who: string } }>().meta<{ summary: string }>().create();
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
      .query(({ ctx, input }) => ({ seen: [ctx.call.who, ctx.admitted, input.n] })),
  },
  around: t.procedure
    .use(async ({ next }) => ({ ...(await next()) }))
    .query(() => {
      order.push("around");
    }),
  silent: t.procedure
    .use(async () => ({ ok: true }) as never)
    .query(() => {
      order.push("silent");
    }),
  change: t.procedure.mutation(() => "changed"),
});
const caller = { who: "ada" } as unknown as Call;
async function run(input: unknown, path = "deep.er"): Promise<unknown> {
  const procedure = proceduresOf(router)[path];
  if (!procedure) throw new Error("the procedure does not exist");
  return invoke(procedure, path, caller, async () => input);
}

test("the versions of client and server are pinned and equal", () => {
  expect(packageJson.devDependencies["@trpc/server"]).toMatch(/^\d+\.\d+\.\d+$/);
  expect(packageJson.devDependencies["@trpc/client"]).toBe(packageJson.devDependencies["@trpc/server"]);
});

test("procedures are in a flat list of dotted names, with type, meta and inputs", () => {
  const procedures = proceduresOf(router);
  expect(Object.keys(procedures)).toEqual(["deep.er", "around", "silent", "change"]);
  expect(procedures["deep.er"]?._def).toMatchObject({ type: "query", meta: { summary: "deep" } });
  expect(procedures["deep.er"]?._def.inputs).toHaveLength(1);
  expect(procedures.change?._def).toMatchObject({ type: "mutation", inputs: [] });
});

test("names from Object's prototype are not procedures", () => {
  expect(Object.getPrototypeOf(proceduresOf(router))).toBeNull();
});

test("the gate runs before the input is read, and its context reaches the resolver", async () => {
  order.length = 0;
  expect(await run({ n: 7 })).toEqual({ seen: ["ada", true, 7] });
  expect(order).toEqual(["gate", "input"]);
});

test("a middleware that does not call next, or wraps the procedure, lets no call through", async () => {
  order.length = 0;
  for (const path of ["around", "silent"]) {
    expect(await run(undefined, path).catch(String)).toBe(`Error: ${path} was not let through`);
  }
  expect(order).toEqual([]);
});

test("wrong input gives a TRPCError with the ZodError as its cause", async () => {
  const error = await run({ n: "7" }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: "TRPCError", code: "BAD_REQUEST", cause: { name: "ZodError" } });
});
