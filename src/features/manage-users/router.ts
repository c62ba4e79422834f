import { exactText, lineOfText } from "../../core/text.ts";
import * as z from "../../core/zod.ts";
import { exampleUser, managedUserSchema, profileInput, type WireManagedUser } from "../../identity/users/wire.ts";
import { repeatable } from "../../rpc/idempotency.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import { idInput, metadataInput, pageInput, pageOf } from "../../rpc/schemas.ts";
import type { UserService } from "./service.ts";

const example: WireManagedUser = {
  ...exampleUser,
  external_id: "42",
  metadata: { plan: "free" },
  private_metadata: {},
  disabled: false,
};
const exampleId = "usr_01HWY4MYSEFGESW2GZ5CY4TQKF";
const byId = z.strictObject({ id: idInput("user").describe("The user's id, in either form.") });
const externalId = exactText(255).describe("The user's id in your own system, unique in the tenant.");
const email = z.string().min(1).max(1016);
const patch = z.record(z.string().min(1).max(100), z.unknown());

export function usersRouter(procedures: Procedures, users: UserService) {
  return {
    users: {
      create: procedures
        .key("users:write", {
          summary: "Create a user.",
          description: "The address starts unverified. The external id of a deleted user stays taken for ever.",
          output: managedUserSchema,
          errors: ["conflict"],
          repeatable: true,
          rest: { method: "POST", path: "/v1/users", status: 201 },
          example: {
            input: { email: "ada@example.com", external_id: "42", display_name: "Ada", metadata: { plan: "free" } },
            output: example,
          },
        })
        .input(
          z.strictObject({
            email: email.nullish().describe("One e-mail address."),
            external_id: externalId.nullish(),
            ...profileInput,
            metadata: metadataInput.optional(),
            private_metadata: metadataInput.optional(),
          }),
        )
        .mutation(({ ctx, input }) => {
          const { email, metadata, private_metadata, ...columns } = input;
          const user = {
            email: email ?? null,
            columns,
            metadata: metadata ?? {},
            privateMetadata: private_metadata ?? {},
          };
          return users.create(ctx, user, repeatable(ctx, input));
        }),
      list: procedures
        .key("users:read", {
          summary: "List the tenant's users, oldest first.",
          output: pageOf(managedUserSchema),
          errors: [],
          rest: { method: "GET", path: "/v1/users" },
          example: { output: { data: [example], next_cursor: null } },
        })
        .input(
          z
            .strictObject({
              ...pageInput("user"),
              email: email.nullish().describe("Only the user with this address."),
              external_id: exactText(255).nullish().describe("Only the user with this id in your own system."),
              anonymous: z.boolean().nullish().describe("Only anonymous users (true), or only other users (false)."),
              search: lineOfText(200)
                .nullish()
                .describe(
                  "Only users whose display name or address begins with this text, in any case. Looks at the first thousand " +
                    "by each.",
                ),
            })
            .optional(),
        )
        .query(({ ctx, input }) =>
          users.list(ctx, {
            limit: input?.limit ?? 20,
            cursor: input?.cursor ?? null,
            email: input?.email ?? null,
            externalId: input?.external_id ?? null,
            anonymous: input?.anonymous ?? null,
            search: input?.search ?? null,
          }),
        ),
      get: procedures
        .key("users:read", {
          summary: "Read one user of the tenant.",
          output: managedUserSchema,
          errors: ["not_found"],
          rest: { method: "GET", path: "/v1/users/{id}" },
          example: { input: { id: exampleId }, output: example },
        })
        .input(byId)
        .query(({ ctx, input }) => users.get(ctx, input.id)),
      update: procedures
        .key("users:write", {
          summary: "Change a user.",
          description:
            "Fields that you leave out stay as they are. `metadata` and `private_metadata` are merged (RFC 7396): null " +
            "removes a member, and a list is replaced whole.",
          output: managedUserSchema,
          errors: ["not_found", "conflict"],
          rest: { method: "PATCH", path: "/v1/users/{id}" },
          example: { input: { id: exampleId, metadata: { plan: "pro", trial: null } }, output: example },
        })
        .input(
          byId.extend({
            ...profileInput,
            external_id: externalId.nullish().describe("null removes the external id."),
            metadata: patch.optional(),
            private_metadata: patch.optional(),
          }),
        )
        .mutation(({ ctx, input: { id, metadata, private_metadata, ...columns } }) =>
          users.update(ctx, id, { columns, metadata, privateMetadata: private_metadata }),
        ),
      delete: procedures
        .key("users:write", {
          summary: "Delete a user: personal data, credentials and sessions.",
          description: "The id and the external id stay taken, so that an old token never names another user.",
          output: z.strictObject({ status: z.literal("success") }),
          errors: ["not_found"],
          rest: { method: "DELETE", path: "/v1/users/{id}" },
          example: { input: { id: exampleId }, output: { status: "success" } },
        })
        .input(byId)
        .mutation(async ({ ctx, input }) => {
          await users.delete(ctx, input.id);
          return { status: "success" as const };
        }),
    },
  };
}
