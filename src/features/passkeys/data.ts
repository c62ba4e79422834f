import { timeOrNull, toWireTime } from "../../core/clock.ts";
import * as z from "../../core/zod.ts";
import { defineUserPart } from "../../rpc/user-parts.ts";
import { passkeysOf } from "./store.ts";

const time = z.iso.datetime();

export const passkeyOverview = defineUserPart({
  schema: { passkeys: z.int() },
  example: { passkeys: 1 },
  read: async (at, { userId }) => ({ passkeys: (await passkeysOf(at, userId)).length }),
});

export const passkeyData = defineUserPart({
  schema: {
    passkeys: z.array(
      z.strictObject({
        id: z.uuid(),
        name: z.string(),
        rp_id: z.string(),
        backed_up: z.boolean(),
        created_at: time,
        last_used_at: time.nullable(),
      }),
    ),
  },
  example: { passkeys: [] },
  read: async (at, { userId, limit }) => ({
    passkeys: (await passkeysOf(at, userId)).slice(0, limit).map((row) => ({
      id: row.id,
      name: row.name,
      rp_id: row.rp_id,
      backed_up: row.is_backed_up === 1,
      created_at: toWireTime(row.created_at),
      last_used_at: timeOrNull(row.last_used_at),
    })),
  }),
});
