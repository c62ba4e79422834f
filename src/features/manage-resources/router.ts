import { lineOfText } from "../../core/text.ts";
import * as z from "../../core/zod.ts";
import { repeatable } from "../../rpc/idempotency.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import { idInput, pageInput, pageOf } from "../../rpc/schemas.ts";
import type { ResourceService } from "./service.ts";
import { exampleResource, resourceSchema } from "./wire.ts";

/** Scopes with a meaning for the appliance itself: `account` opens the account procedures. */
const RESERVED = new Set(["account", "public", "openid", "profile", "email", "offline_access"]);

const byId = z.strictObject({ id: idInput("resource").describe("The resource's id, in either form.") });
const exampleId = "res_01HWY60ZW0F8DRRFAEBXG730MK";

const scopes = z
  .array(
    z.strictObject({
      // RFC 6749 section 3.3: scope-token.
      name: z
        .string()
        .regex(
          /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/,
          "must be 1 to 100 visible ASCII characters without quote or backslash",
        )
        .refine((name) => !RESERVED.has(name), "is reserved for the appliance"),
      description: lineOfText(200)
        .nullish()
        .transform((text) => text ?? null),
    }),
  )
  .max(100)
  .refine((list) => new Set(list.map((scope) => scope.name)).size === list.length, "must name each scope once");

const audience = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, "must be 1 to 255 visible ASCII characters")
  .describe("The `aud` of the API's tokens, usually a URI. It never changes.");

export function resourcesRouter(procedures: Procedures, resources: ResourceService) {
  return {
    resources: {
      create: procedures
        .key("resources:write", {
          summary: "Create an API resource, which tokens may be for.",
          output: resourceSchema,
          errors: ["conflict"],
          repeatable: true,
          rest: { method: "POST", path: "/v1/resources", status: 201 },
          example: {
            input: { audience: exampleResource.audience, name: "Orders", scopes: exampleResource.scopes },
            output: exampleResource,
          },
        })
        .input(z.strictObject({ audience, name: lineOfText(100), scopes: scopes.default([]) }))
        .mutation(({ ctx, input }) => resources.create(ctx, input, repeatable(ctx, input))),
      list: procedures
        .key("resources:read", {
          summary: "List the tenant's API resources, oldest first.",
          output: pageOf(resourceSchema),
          errors: [],
          rest: { method: "GET", path: "/v1/resources" },
          example: { output: { data: [exampleResource], next_cursor: null } },
        })
        .input(z.strictObject(pageInput("resource")).optional())
        .query(({ ctx, input }) => resources.list(ctx, input?.limit ?? 20, input?.cursor ?? null)),
      get: procedures
        .key("resources:read", {
          summary: "Read one API resource of the tenant.",
          output: resourceSchema,
          errors: ["not_found"],
          rest: { method: "GET", path: "/v1/resources/{id}" },
          example: { input: { id: exampleId }, output: exampleResource },
        })
        .input(byId)
        .query(({ ctx, input }) => resources.get(ctx, input.id)),
      update: procedures
        .key("resources:write", {
          summary: "Rename an API resource, or replace its scopes.",
          output: resourceSchema,
          errors: ["not_found"],
          rest: { method: "PATCH", path: "/v1/resources/{id}" },
          example: { input: { id: exampleId, scopes: exampleResource.scopes }, output: exampleResource },
        })
        .input(byId.extend({ name: lineOfText(100).optional(), scopes: scopes.optional() }))
        .mutation(({ ctx, input }) => {
          const { name, scopes: list } = input;
          return resources.update(ctx, input.id, { name, scopes: list });
        }),
      delete: procedures
        .key("resources:write", {
          summary: "Delete an API resource.",
          output: z.strictObject({ status: z.literal("success") }),
          errors: ["not_found"],
          rest: { method: "DELETE", path: "/v1/resources/{id}" },
          example: { input: { id: exampleId }, output: { status: "success" } },
        })
        .input(byId)
        .mutation(async ({ ctx, input }) => {
          await resources.delete(ctx, input.id);
          return { status: "success" as const };
        }),
    },
  };
}
