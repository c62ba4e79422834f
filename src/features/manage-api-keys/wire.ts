import { toWireTime } from "../../core/clock.ts";
import * as z from "../../core/zod.ts";
import { SCOPES } from "../../identity/api-keys/scopes.ts";
import type { ApiKeysTable } from "../../storage/schema.ts";

const time = z.iso.datetime().nullable();

export const apiKeySchema = z
  .strictObject({
    id: z.uuid(),
    application_id: z.uuid(),
    kind: z.enum(["secret", "signing", "public"]),
    name: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    rate_limit: z
      .string()
      .nullable()
      .describe("Calls that the key may make, such as 100/1m; null: no limit of its own."),
    networks: z.array(z.string()).describe("Addresses and CIDR blocks that the key works from; empty: anywhere."),
    created_by: z.uuid().nullable().describe("The key that created this one; null if a command or an operator did."),
    created_at: z.iso.datetime(),
    last_used_at: time.describe("Exact to the hour."),
    rotated_at: time,
    previous_secret_expires_at: time.describe("Until then the previous secret works too."),
    expires_at: time,
    revoked_at: time,
  })
  .meta({ id: "ApiKey" });
export type WireApiKey = z.output<typeof apiKeySchema>;

export const newApiKeySchema = apiKeySchema
  .extend({
    secret: z
      .string()
      .nullable()
      .describe(
        "Shown only once. null for a public key, and in the second answer to a repeated call (Idempotency-Key).",
      ),
  })
  .meta({ id: "NewApiKey" });
export type WireNewApiKey = z.output<typeof newApiKeySchema>;

export function toWireApiKey(row: ApiKeysTable): WireApiKey {
  return {
    id: row.id,
    application_id: row.application_id,
    kind: row.kind,
    name: row.name,
    scopes: JSON.parse(row.scopes),
    rate_limit: row.rate_limit,
    networks: JSON.parse(row.networks),
    created_by: row.created_by,
    created_at: toWireTime(row.created_at),
    last_used_at: timeOf(row.last_used_at),
    rotated_at: timeOf(row.rotated_at),
    previous_secret_expires_at: timeOf(row.previous_expires_at),
    expires_at: timeOf(row.expires_at),
    revoked_at: timeOf(row.revoked_at),
  };
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : toWireTime(ms);
}

export const exampleApiKey: WireApiKey = {
  id: "018f3c52-5d6e-7f80-9a1b-2c3d4e5f6071",
  application_id: "018f3c40-1a2b-7c3d-8e4f-5a6b7c8d9e0f",
  kind: "secret",
  name: "production-backend",
  scopes: ["admin"],
  rate_limit: null,
  networks: [],
  created_by: "018f3c41-2b3c-7d4e-8f50-6a7b8c9d0e1f",
  created_at: "2026-01-01T12:00:00.000Z",
  last_used_at: null,
  rotated_at: null,
  previous_secret_expires_at: null,
  expires_at: null,
  revoked_at: null,
};

export const exampleNewApiKey: WireNewApiKey = { ...exampleApiKey, secret: "sally_sk_…" };
