import { AppError } from "../../core/errors.ts";
import * as z from "../../core/zod.ts";
import { findApplication } from "../../identity/applications/public.ts";
import { defineFeature } from "../../rpc/feature.ts";
import type { AdmittedKey } from "../../rpc/gate.ts";
import { idInput, pageInput, pageOf } from "../../rpc/schemas.ts";
import { exampleApplication, managedApplicationSchema, toManagedApplication } from "./wire.ts";

/**
 * The settings of applications, for a backend to read. A secret key sees its own application only: the list holds that one, and
 * every other id is answered `not_found`.
 */
export const manageApplications = defineFeature({
  settings: {},
  router: ({ identity, procedures, signInMethods }) => {
    const schema = managedApplicationSchema(signInMethods);
    const own = async (caller: AdmittedKey) => {
      const row = await findApplication(identity.storage.read, caller.act.application.id);
      if (!row) throw new AppError("not_found");
      return toManagedApplication(row, caller.act.application);
    };
    return {
      applications: {
        list: procedures
          .key("applications:read", {
            summary: "List the calling key's application, the only one in the list.",
            output: pageOf(schema),
            errors: [],
            rest: { method: "GET", path: "/v1/applications" },
            example: { output: { data: [exampleApplication], next_cursor: null } },
          })
          .input(z.strictObject(pageInput("application")).optional())
          .query(async ({ ctx, input }) => {
            const found = await own(ctx);
            return { data: found.id > (input?.cursor ?? "") ? [found] : [], next_cursor: null };
          }),
        get: procedures
          .key("applications:read", {
            summary: "Read the calling key's application.",
            output: schema,
            errors: ["not_found"],
            rest: { method: "GET", path: "/v1/applications/{id}" },
            example: { input: { id: "app_01HWY42WS7FGD8SSNSKQN0XA9J" }, output: exampleApplication },
          })
          .input(z.strictObject({ id: idInput("application").describe("The application's id, in either form.") }))
          .query(async ({ ctx, input }) => {
            if (input.id !== ctx.act.application.id) throw new AppError("not_found");
            return own(ctx);
          }),
      },
    };
  },
});
