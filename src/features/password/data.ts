import { toWireTime } from "../../core/clock.ts";
import * as z from "../../core/zod.ts";
import { defineUserPart } from "../../rpc/user-parts.ts";
import { passwordSetAt } from "./store.ts";

/** The time when the password was set, alike in the overview and in the export. */
export const passwordData = defineUserPart({
  schema: { password: z.strictObject({ set_at: z.iso.datetime() }).nullable() },
  example: { password: { set_at: "2026-01-01T12:00:00.000Z" } },
  read: async (at, { userId }) => {
    const setAt = await passwordSetAt(at, userId);
    return { password: setAt === null ? null : { set_at: toWireTime(setAt) } };
  },
});
