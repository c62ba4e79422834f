import { z } from "zod";
import { toWireTime } from "../../core/clock.ts";
import type { UserRow } from "./store.ts";

const metadataSchema = z.record(z.string(), z.unknown());

/** A user as that user may see it. */
export const userSchema = z
  .strictObject({
    id: z.uuid(),
    external_id: z.string().nullable().describe("The user's id in the customer's own system."),
    email: z.string().nullable(),
    email_verified: z.boolean(),
    display_name: z.string().nullable(),
    is_anonymous: z.boolean().describe("Made without any credential, and without one until now."),
    metadata: metadataSchema.describe("What the application stores about the user and the user may read."),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: "User" });
export type WireUser = z.output<typeof userSchema>;

export const exampleUser: WireUser = {
  id: "018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f",
  external_id: null,
  email: "ada@example.com",
  email_verified: false,
  display_name: "Ada",
  is_anonymous: false,
  metadata: {},
  created_at: "2026-01-01T12:00:00.000Z",
  updated_at: "2026-01-01T12:00:00.000Z",
};

/** A user as the customer's backend sees it. */
export const managedUserSchema = z
  .strictObject({
    ...userSchema.shape,
    private_metadata: metadataSchema.describe("What only the customer's backend may read."),
    disabled: z.boolean(),
  })
  .meta({ id: "ManagedUser" });
export type WireManagedUser = z.output<typeof managedUserSchema>;

/** What a user's own view is made of. */
export type UserColumns = Pick<
  UserRow,
  | "id"
  | "external_id"
  | "email"
  | "email_verified_at"
  | "display_name"
  | "is_anonymous"
  | "public_metadata"
  | "created_at"
  | "updated_at"
>;

export function toWireUser(row: UserColumns): WireUser {
  return {
    id: row.id,
    external_id: row.external_id,
    email: row.email,
    email_verified: row.email_verified_at !== null,
    display_name: row.display_name,
    is_anonymous: row.is_anonymous === 1,
    metadata: row.public_metadata === "{}" ? {} : JSON.parse(row.public_metadata),
    created_at: toWireTime(row.created_at),
    updated_at: toWireTime(row.updated_at),
  };
}

export function toManagedUser(row: UserRow): WireManagedUser {
  const privately: Pick<WireManagedUser, "private_metadata" | "disabled"> = {
    private_metadata: row.private_metadata === "{}" ? {} : JSON.parse(row.private_metadata),
    disabled: row.disabled_at !== null,
  };
  return Object.assign(toWireUser(row), privately);
}
