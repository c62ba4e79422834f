import { toWireTime } from "../../core/clock.ts";
import * as z from "../../core/zod.ts";
import type { StartedProof } from "../../identity/email-proofs/proofs.ts";
import type { UserEmailsTable } from "../../storage/schema.ts";

export const emailSchema = z
  .strictObject({
    id: z.uuid(),
    email: z.string(),
    is_primary: z.boolean().describe("The address that gets the mails and that tokens name."),
    verified_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: "Email" });
export type WireEmail = z.output<typeof emailSchema>;

export const exampleEmail: WireEmail = {
  id: "018f3c4e-1b2c-7d3e-8f40-516273849506",
  email: "ada@example.com",
  is_primary: true,
  verified_at: "2026-01-01T12:05:00.000Z",
  created_at: "2026-01-01T12:00:00.000Z",
};

export function toWireEmail(row: UserEmailsTable): WireEmail {
  return {
    id: row.id,
    email: row.address,
    is_primary: row.is_primary === 1,
    verified_at: row.verified_at === null ? null : toWireTime(row.verified_at),
    created_at: toWireTime(row.created_at),
  };
}

export function toMailSent({ flowId, expiresIn }: Pick<StartedProof, "flowId" | "expiresIn">) {
  return { status: "sent" as const, flow_id: flowId, expires_in: expiresIn };
}
