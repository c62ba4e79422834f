import type { Migration } from "../columns.ts";

/** What a customer's backend manages: API keys of three kinds, and calls that it may repeat without doing them twice. */
export const management: Migration = {
  id: 2,
  name: "management",
  statements: (c) => [
    `ALTER TABLE api_keys ADD COLUMN sealed_secret ${c.bytes}`,
    `ALTER TABLE api_keys ADD COLUMN generation ${c.int} NOT NULL DEFAULT 1`,
    `ALTER TABLE api_keys ADD COLUMN previous_digest ${c.bytes}`,
    `ALTER TABLE api_keys ADD COLUMN previous_sealed ${c.bytes}`,
    `ALTER TABLE api_keys ADD COLUMN previous_expires_at ${c.int}`,
    `ALTER TABLE api_keys ADD COLUMN rotated_at ${c.int}`,
    `ALTER TABLE api_keys ADD COLUMN rate_limit ${c.text}`,
    `ALTER TABLE api_keys ADD COLUMN networks ${c.text} NOT NULL DEFAULT '[]'`,
    `CREATE TABLE idempotency_records (
      digest ${c.text} PRIMARY KEY NOT NULL,
      tenant_id ${c.text} NOT NULL REFERENCES tenants (id),
      request_digest ${c.text} NOT NULL,
      target_id ${c.text} NOT NULL,
      expires_at ${c.int} NOT NULL
    ) ${c.end}`,
    `CREATE INDEX idempotency_records_by_expiry ON idempotency_records (expires_at)`,
  ],
};
