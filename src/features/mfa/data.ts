import { timeOrNull, toWireTime } from "../../core/clock.ts";
import * as z from "../../core/zod.ts";
import { defineUserPart } from "../../rpc/user-parts.ts";
import { codesOf, totpOf } from "./store.ts";

const time = z.iso.datetime();

export const factorOverview = defineUserPart({
  schema: {
    totp: z.strictObject({ enabled_at: time, last_used_at: time.nullable() }).nullable(),
    recovery_codes_left: z.int(),
  },
  example: { totp: { enabled_at: "2026-01-02T12:00:00.000Z", last_used_at: null }, recovery_codes_left: 10 },
  read: async (at, { userId }) => {
    const totp = await totpOf(at, userId);
    const codes = await codesOf(at, userId);
    const enabledAt = totp?.enabled_at ?? null;
    return {
      totp:
        enabledAt === null
          ? null
          : { enabled_at: toWireTime(enabledAt), last_used_at: timeOrNull(totp?.last_used_at ?? null) },
      recovery_codes_left: codes.filter((row) => row.used_at === null).length,
    };
  },
});

export const factorData = defineUserPart({
  schema: {
    totp: z
      .strictObject({ created_at: time, enabled_at: time.nullable(), last_used_at: time.nullable() })
      .nullable()
      .describe("`enabled_at` is null until the set-up is finished."),
    recovery_codes: z.strictObject({ left: z.int(), used: z.int(), created_at: time }).nullable(),
  },
  example: { totp: null, recovery_codes: null },
  read: async (at, { userId }) => {
    const totp = await totpOf(at, userId);
    const codes = await codesOf(at, userId);
    const used = codes.filter((row) => row.used_at !== null).length;
    const [code] = codes;
    return {
      totp: totp
        ? {
            created_at: toWireTime(totp.created_at),
            enabled_at: timeOrNull(totp.enabled_at),
            last_used_at: timeOrNull(totp.last_used_at),
          }
        : null,
      recovery_codes: code ? { left: codes.length - used, used, created_at: toWireTime(code.created_at) } : null,
    };
  },
});
