import { z } from "zod";
import { exampleUser, toWireUser, userSchema } from "../../identity/users/wire.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import { lineOfText } from "../../rpc/schemas.ts";
import type { ProfileService } from "./service.ts";

export function profileRouter(procedures: Procedures, profiles: ProfileService) {
  return {
    me: {
      get: procedures
        .endUser("public", {
          summary: "The caller's own profile.",
          output: userSchema,
          errors: [],
          rest: { method: "GET", path: "/v1/me" },
          example: { output: exampleUser },
        })
        .query(({ ctx }) => toWireUser(ctx.user)),
      update: procedures
        .endUser("account", {
          summary: "Change the caller's own profile.",
          description:
            "What is left out stays. `metadata` is merged (RFC 7396): null removes a member, lists are replaced whole.",
          output: userSchema,
          errors: [],
          rest: { method: "PATCH", path: "/v1/me" },
          example: { input: { display_name: "Ada", metadata: { theme: "dark", draft: null } }, output: exampleUser },
        })
        .input(
          z.strictObject({
            display_name: lineOfText(200).nullish().describe("null removes it."),
            metadata: z.record(z.string().min(1).max(100), z.unknown()).optional(),
          }),
        )
        .mutation(({ ctx, input }) =>
          profiles.update(ctx, { displayName: input.display_name, metadata: input.metadata }),
        ),
    },
  };
}
