import { toWireTime } from "../../core/clock.ts";
import * as z from "../../core/zod.ts";
import type { ApiResourcesTable } from "../../storage/schema.ts";

export const resourceSchema = z
  .strictObject({
    id: z.uuid(),
    audience: z.string().describe("The `aud` of the API's tokens, unique in the tenant. It never changes."),
    name: z.string(),
    scopes: z.array(z.strictObject({ name: z.string(), description: z.string().nullable() })),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: "Resource" });
export type WireResource = z.output<typeof resourceSchema>;
export type ResourceScope = WireResource["scopes"][number];

export function toWireResource(row: ApiResourcesTable): WireResource {
  return {
    id: row.id,
    audience: row.audience,
    name: row.name,
    scopes: JSON.parse(row.scopes),
    created_at: toWireTime(row.created_at),
    updated_at: toWireTime(row.updated_at),
  };
}

export const exampleResource: WireResource = {
  id: "018f3c60-7f80-7a1b-8c3d-4e5f60718293",
  audience: "https://api.example.com",
  name: "Orders",
  scopes: [{ name: "orders:read", description: "See orders." }],
  created_at: "2026-01-01T12:00:00.000Z",
  updated_at: "2026-01-01T12:00:00.000Z",
};
