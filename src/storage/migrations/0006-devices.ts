import type { Migration } from "../columns.ts";

/** Adds the devices that have signed in to an account, by the secret in their cookie. */
export const devices: Migration = {
  id: 6,
  name: "devices",
  statements: (c) => [
    `CREATE TABLE account_devices (
      user_id ${c.text} NOT NULL REFERENCES users (id),
      digest ${c.text} NOT NULL,
      tenant_id ${c.text} NOT NULL REFERENCES tenants (id),
      first_seen_at ${c.int} NOT NULL,
      last_seen_at ${c.int} NOT NULL,
      PRIMARY KEY (user_id, digest)
    ) ${c.end}`,
    `CREATE INDEX account_devices_by_digest ON account_devices (digest)`,
    `CREATE INDEX account_devices_by_time ON account_devices (last_seen_at)`,
  ],
};
