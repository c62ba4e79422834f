import { timeOrNull, toWireTime } from "../../core/clock.ts";
import type { UserPart } from "../../core/feature.ts";
import * as z from "../../core/zod.ts";
import { describeDevice } from "../../identity/notices/device.ts";
import { exampleSession } from "../../identity/sessions/wire.ts";
import { exampleUser, userSchema } from "../../identity/users/wire.ts";
import type { TrustedDevicesTable } from "../../storage/schema-people.ts";

const time = z.iso.datetime();

/** The part of a feature's answer that stands among the members of identity itself. */
type Part = Pick<UserPart<unknown>, "schema" | "example">;

export const securitySchema = ({ schema }: Part) =>
  z
    .strictObject({
      ...schema,
      trusted_devices: z.int().describe("Devices that this application trusts."),
      emails: z.int(),
    })
    .meta({ id: "Security" });
export const exampleSecurity = ({ example }: Part) => ({ ...example, trusted_devices: 0, emails: 1 });

export const trustedDeviceSchema = z
  .strictObject({
    id: z.uuid(),
    device: z.string().nullable().describe("For example `Firefox on Windows`."),
    created_at: time,
    last_used_at: time.nullable(),
    expires_at: time,
  })
  .meta({ id: "TrustedDevice" });
export type WireTrustedDevice = z.output<typeof trustedDeviceSchema>;

export const exampleDevice: WireTrustedDevice = {
  id: "018f3c4e-4b5c-7d6e-8f70-8192a3b4c5d6",
  device: "Firefox on Windows",
  created_at: "2026-01-01T12:00:00.000Z",
  last_used_at: null,
  expires_at: "2026-01-31T12:00:00.000Z",
};

type DeviceColumns = Pick<TrustedDevicesTable, "id" | "user_agent" | "created_at" | "last_used_at" | "expires_at">;

export function toWireDevice(row: DeviceColumns): WireTrustedDevice {
  return {
    id: row.id,
    device: describeDevice(row.user_agent),
    created_at: toWireTime(row.created_at),
    last_used_at: timeOrNull(row.last_used_at),
    expires_at: toWireTime(row.expires_at),
  };
}

export const exportSchema = ({ schema }: Part) =>
  z
    .strictObject({
      exported_at: time,
      user: userSchema,
      emails: z.array(
        z.strictObject({
          id: z.uuid(),
          email: z.string(),
          is_primary: z.boolean(),
          verified_at: time.nullable(),
          created_at: time,
        }),
      ),
      ...schema,
      trusted_devices: z.array(
        trustedDeviceSchema.extend({ application_id: z.uuid(), user_agent: z.string().nullable() }),
      ),
      known_devices: z
        .array(z.strictObject({ first_seen_at: time, last_seen_at: time }))
        .describe("Devices that have signed in. Of each, only the digest of the secret in its cookie is kept."),
      sessions: z.array(
        z.strictObject({
          id: z.uuid(),
          application_id: z.uuid(),
          aal: z.enum(["aal1", "aal2"]),
          auth_method: z.string(),
          amr: z.array(z.string()),
          auth_time: time,
          device: z.string().nullable(),
          user_agent: z.string().nullable(),
          address: z.string().nullable(),
          created_at: time,
          last_seen_at: time,
          refreshes: z.int(),
          expires_at: time,
          ended_at: time.nullable(),
          end_reason: z.string().nullable(),
        }),
      ),
      mails: z
        .array(z.strictObject({ template: z.string(), created_at: time, sent_at: time.nullable() }))
        .describe("Mails of the last days. Their text is not kept."),
      audit_entries: z
        .array(
          z.strictObject({
            occurred_at: time,
            action: z.string(),
            actor: z.enum(["user", "key", "client", "operator", "system", "anonymous"]),
            target: z.strictObject({ kind: z.string(), id: z.string() }).nullable(),
            application_id: z.uuid().nullable(),
            address: z.string().nullable().describe("Network address, if the person acted themselves."),
            user_agent: z.string().nullable(),
            details: z.record(z.string(), z.unknown()).nullable(),
          }),
        )
        .describe("Acts of the person, and acts on their account; newest first."),
      truncated: z.array(z.string()).describe("Lists that have more than the 1,000 entries shown."),
    })
    .meta({ id: "PersonalExport" });
export type WireExport = z.output<ReturnType<typeof exportSchema>>;

export const exampleExport = ({ example }: Part) => ({
  exported_at: "2026-01-03T12:00:00.000Z",
  user: exampleUser,
  emails: [
    {
      id: "018f3c4a-8c3f-7d2e-9f1b-2a3b4c5d6e7f",
      email: "ada@example.com",
      is_primary: true,
      verified_at: null,
      created_at: "2026-01-01T12:00:00.000Z",
    },
  ],
  ...example,
  trusted_devices: [],
  known_devices: [{ first_seen_at: "2026-01-01T12:00:00.000Z", last_seen_at: "2026-01-01T12:00:00.000Z" }],
  sessions: [
    {
      id: exampleSession.id,
      application_id: exampleSession.application_id,
      aal: "aal1",
      auth_method: "password",
      amr: ["pwd"],
      auth_time: exampleSession.auth_time,
      device: exampleSession.device,
      user_agent: exampleSession.user_agent,
      address: exampleSession.address,
      created_at: exampleSession.created_at,
      last_seen_at: exampleSession.last_seen_at,
      refreshes: 12,
      expires_at: exampleSession.expires_at,
      ended_at: null,
      end_reason: null,
    },
  ],
  mails: [],
  audit_entries: [
    {
      occurred_at: "2026-01-01T12:00:00.000Z",
      action: "session.created",
      actor: "user",
      target: { kind: "session", id: exampleSession.id },
      application_id: exampleSession.application_id,
      address: "203.0.113.7",
      user_agent: exampleSession.user_agent,
      details: { method: "password", aal: "aal1" },
    },
  ],
  truncated: [],
});
