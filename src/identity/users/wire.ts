import { toWireTime } from "../../core/clock.ts";
import { lineOfText } from "../../core/text.ts";
import * as z from "../../core/zod.ts";
import type { UsersTable } from "../../storage/schema.ts";

/**
 * Every column that is read with a user, except the id and the times, with its value for a new user. The type requires a line
 * for each new column of the table: the column is then read, set at each insert and cleared in a tombstone.
 */
export const NEW_USER = {
  external_id: null,
  display_name: null,
  public_metadata: "{}",
  private_metadata: "{}",
  disabled_at: null,
  deleted_at: null,
  is_anonymous: 0,
} as const satisfies Omit<UsersTable, "id" | "tenant_id" | "created_at" | "updated_at" | "search_name">;

/** A user with the primary address. */
export type UserRow = Omit<UsersTable, "search_name"> & { email: string | null; email_verified_at: number | null };

/** The columns that users set themselves, by their own names. Every procedure that changes them takes this input. */
export const profileInput = {
  display_name: lineOfText(200).nullish().describe("null means no display name."),
};
/** undefined leaves a column unchanged. */
export type ProfileInput = z.output<z.ZodObject<typeof profileInput>>;

const metadataSchema = z.record(z.string(), z.unknown());

/** A user as the user may see it. */
export const userSchema = z
  .strictObject({
    id: z.uuid(),
    external_id: z.string().nullable().describe("The user's id in the customer's own system."),
    email: z.string().nullable(),
    email_verified: z.boolean(),
    display_name: z.string().nullable(),
    is_anonymous: z.boolean().describe("Created without a credential, and still without one."),
    metadata: metadataSchema.describe("Data that the application stores about the user. The user may read it."),
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
export const managedUserSchema = userSchema
  .extend({
    private_metadata: metadataSchema.describe("Data that only the customer's backend may read."),
    disabled: z.boolean(),
  })
  .meta({ id: "ManagedUser" });
export type WireManagedUser = z.output<typeof managedUserSchema>;

/** The columns from which a user's own view is built. */
export type UserColumns = Omit<UserRow, "tenant_id" | "private_metadata" | "disabled_at" | "deleted_at">;

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
