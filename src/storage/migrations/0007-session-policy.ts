import type { Migration } from "../columns.ts";

/** Records why a session of one factor was enough, and since when an application asks for a second one. */
export const sessionPolicy: Migration = {
  id: 7,
  name: "session-policy",
  statements: (c) => [
    `ALTER TABLE applications ADD COLUMN mfa_asked_at ${c.int}`,
    `ALTER TABLE sessions ADD COLUMN trusted_device_id ${c.text}`,
    `ALTER TABLE sessions ADD COLUMN trusted_until ${c.int}`,
  ],
};
