import { toWireTime } from "../../core/clock.ts";
import * as z from "../../core/zod.ts";
import { refreshesOf } from "../../identity/sessions/public.ts";
import { exampleSession, sessionSchema, toWireSession } from "../../identity/sessions/wire.ts";
import type { SessionsTable } from "../../storage/schema.ts";

export const managedSessionSchema = sessionSchema
  .omit({ current: true })
  .extend({
    user_id: z.uuid(),
    refreshes: z.int().describe("How often it was refreshed, the last time at `last_seen_at`."),
    ended_at: z.iso.datetime().nullable(),
    end_reason: z
      .string()
      .nullable()
      .describe("`logout`, `revoked`, `password_changed`, `factor_required`, `refresh_reuse`, …"),
  })
  .meta({ id: "ManagedSession" });
export type WireManagedSession = z.output<typeof managedSessionSchema>;

export function toManagedSession(row: SessionsTable): WireManagedSession {
  const { current: _, ...session } = toWireSession(row, false);
  return {
    ...session,
    user_id: row.user_id,
    refreshes: refreshesOf(row),
    ended_at: row.ended_at === null ? null : toWireTime(row.ended_at),
    end_reason: row.end_reason,
  };
}

const { current: __, ...example } = exampleSession;
export const exampleManagedSession: WireManagedSession = {
  ...example,
  user_id: "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f",
  refreshes: 12,
  ended_at: null,
  end_reason: null,
};
