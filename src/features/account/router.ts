import * as z from "../../core/zod.ts";
import { exampleUser, profileInput, toWireUser, userSchema } from "../../identity/users/wire.ts";
import type { HostParts } from "../../rpc/feature.ts";
import type { Procedures } from "../../rpc/procedures.ts";
import { idInput, pageInput, pageOf } from "../../rpc/schemas.ts";
import type { ExportService } from "./export.ts";
import type { ProfileService } from "./profile.ts";
import type { Restoration } from "./restoration.ts";
import type { Account } from "./service.ts";
import {
  exampleDevice,
  exampleExport,
  exampleSecurity,
  exportSchema,
  securitySchema,
  trustedDeviceSchema,
} from "./wire.ts";

const success = z.strictObject({ status: z.literal("success") });

interface Services {
  profiles: ProfileService;
  account: Account;
  restoration: Restoration;
  exports: ExportService;
}

export function accountRouter(
  procedures: Procedures,
  { profiles, account, restoration, exports }: Services,
  parts: HostParts["userParts"],
) {
  return {
    auth: {
      account: {
        restore: procedures
          .public({
            summary: "Restore a deleted account, with the link in the mail about its deletion.",
            description:
              "For seven days after the user deleted the account. Brings back the id, the profile, the metadata and the " +
              "address of the mail, and no credential. A mail to this address leads to a new password.",
            output: success,
            errors: ["invalid_code", "conflict", "origin_not_allowed"],
            rest: { method: "POST", path: "/v1/auth/account/restore" },
            example: { input: { token: "sally_ml_…" }, output: { status: "success" } },
          })
          .input(z.strictObject({ token: z.string().min(1).max(200).describe("The part after `#` in the link.") }))
          .mutation(async ({ ctx, input }) => {
            await restoration.restore(ctx.act, input.token);
            return { status: "success" as const };
          }),
      },
    },
    me: {
      get: procedures
        .endUser("public", {
          summary: "Read the caller's own profile.",
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
            "Fields that you leave out stay as they are. `metadata` is merged (RFC 7396): null removes a member, and a list " +
            "is replaced whole.",
          output: userSchema,
          errors: [],
          rest: { method: "PATCH", path: "/v1/me" },
          example: { input: { display_name: "Ada", metadata: { theme: "dark", draft: null } }, output: exampleUser },
        })
        .input(
          z.strictObject({
            ...profileInput,
            metadata: z.record(z.string().min(1).max(100), z.unknown()).optional(),
          }),
        )
        .mutation(({ ctx, input: { metadata, ...profile } }) => profiles.update(ctx, profile, metadata)),
      delete: procedures
        .provenSession(
          { fresh: true },
          {
            summary: "Delete the caller's own account.",
            description:
              "Deletes personal data, credentials and the sessions of every application at once. The id and the external id " +
              "stay taken. Needs a fresh sign-in, and a second factor if the user has one. Each proven address, also one " +
              "removed in the last seven days, gets a mail. Its link restores the account within seven days; an address that was " +
              "proven in the last week, after another one, gets no link.",
            output: success,
            errors: ["insufficient_user_authentication", "origin_not_allowed"],
            rest: { method: "DELETE", path: "/v1/me" },
            example: { output: { status: "success" } },
          },
        )
        .mutation(async ({ ctx }) => {
          await account.delete(ctx);
          const { application } = ctx.act;
          ctx.call.reply.cookies.push({ kind: "clear", application });
          ctx.call.reply.cookies.push({ kind: "trusted-device", application, secret: "", maxAge: 0 });
          return { status: "success" as const };
        }),
      security: procedures
        .session({
          summary: "Read how the caller's account is secured.",
          output: securitySchema(parts.security),
          errors: [],
          rest: { method: "GET", path: "/v1/me/security" },
          example: { output: exampleSecurity(parts.security) },
        })
        .query(({ ctx }) => account.security(ctx)),
      export: procedures
        .provenSession(
          { fresh: true },
          {
            summary: "Export everything that is kept about the caller, as one document.",
            description:
              "Holds no secret, hash or key, and no private metadata, which belongs to the customer. Each list holds the " +
              "newest 1,000 entries; `truncated` names the lists that have more. Needs a fresh sign-in, and a second factor " +
              "if the user has one.",
            output: exportSchema(parts.export),
            // It writes an audit entry, and reads more than any other call.
            writes: 10,
            errors: ["insufficient_user_authentication"],
            rest: { method: "GET", path: "/v1/me/export" },
            example: { output: exampleExport(parts.export) },
          },
        )
        .query(({ ctx }) => exports.export(ctx)),
      trustedDevices: {
        list: procedures
          .session({
            summary: "List the devices that this application asks for no second factor.",
            output: pageOf(trustedDeviceSchema),
            errors: [],
            rest: { method: "GET", path: "/v1/me/trusted-devices" },
            example: { output: { data: [exampleDevice], next_cursor: null } },
          })
          .input(z.strictObject(pageInput("device")).optional())
          .query(({ ctx, input }) => account.devices(ctx, input?.limit ?? 20, input?.cursor ?? null)),
        remove: procedures
          .session({
            summary: "Ask a device for a second factor again.",
            output: success,
            errors: ["not_found"],
            rest: { method: "DELETE", path: "/v1/me/trusted-devices/{id}" },
            example: { input: { id: "dev_01HWY4WJTWFNPRYW41J69V9JPP" }, output: { status: "success" } },
          })
          .input(z.strictObject({ id: idInput("device").describe("The device's id, in either form.") }))
          .mutation(async ({ ctx, input }) => {
            await account.removeDevice(ctx, input.id);
            return { status: "success" as const };
          }),
      },
    },
  };
}
