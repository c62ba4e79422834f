import { z } from "zod";
import { canonicalEmail } from "../../core/email.ts";
import { invalidField } from "../../core/errors.ts";
import { parseId } from "../../core/ids.ts";
import { pageOfUsers } from "../../identity/users/store.ts";
import { exampleUser, managedUserSchema, toManagedUser } from "../../identity/users/wire.ts";
import { defineFeature } from "../../rpc/feature.ts";
import { cutPage, pageInput, pageOf } from "../../rpc/schemas.ts";

/** The pool of users, as the customer's backend manages it with a secret key. */
export const users = defineFeature({
  settings: {},
  router: ({ identity, procedures }) => ({
    users: {
      list: procedures
        .key("users:read", {
          summary: "The tenant's users, oldest first.",
          output: pageOf(managedUserSchema),
          errors: [],
          rest: { method: "GET", path: "/v1/users" },
          example: {
            output: { data: [{ ...exampleUser, private_metadata: {}, disabled: false }], next_cursor: null },
          },
        })
        .input(
          z
            .strictObject({
              ...pageInput,
              email: z.string().min(1).max(1016).nullish().describe("Only the user with this address."),
            })
            .optional(),
        )
        .query(async ({ ctx, input }) => {
          const limit = input?.limit ?? 20;
          const after = input?.cursor ? parseId("user", input.cursor) : null;
          if (input?.cursor && after === null) throw invalidField("cursor", "must be the next_cursor of a page before");
          const email = input?.email ? canonicalEmail(input.email) : null;
          if (input?.email && !email) throw invalidField("email", "must be one e-mail address");
          const rows = await pageOfUsers(identity.storage.read, {
            tenantId: ctx.application.tenant.id,
            after,
            limit: limit + 1,
            email: email?.canonical ?? null,
          });
          return cutPage(rows, limit, (row) => row.id, toManagedUser);
        }),
    },
  }),
});
