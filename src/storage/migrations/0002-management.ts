import type { Migration } from "../columns.ts";

/** Adds API keys of three kinds, user search, API resources and repeatable calls, for a customer's backend. */
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
    `ALTER TABLE users ADD COLUMN search_name ${c.text}`,
    `UPDATE users SET search_name = lower(display_name)`,
    ...c.bytewise("users", "search_name"),
    ...c.bytewise("user_emails", "canonical"),
    `CREATE INDEX sessions_by_application ON sessions (application_id, id) WHERE ended_at IS NULL`,
    `CREATE TABLE api_resources (
      id ${c.text} PRIMARY KEY NOT NULL,
      tenant_id ${c.text} NOT NULL REFERENCES tenants (id),
      audience ${c.text} NOT NULL,
      name ${c.text} NOT NULL,
      scopes ${c.text} NOT NULL,
      created_at ${c.int} NOT NULL,
      updated_at ${c.int} NOT NULL
    ) ${c.end}`,
    `CREATE UNIQUE INDEX api_resources_by_audience ON api_resources (tenant_id, audience)`,
    `CREATE INDEX api_resources_by_tenant ON api_resources (tenant_id, id)`,
    `CREATE INDEX flows_by_user ON flows (user_id) WHERE user_id IS NOT NULL`,
    `CREATE INDEX users_by_search_name ON users (tenant_id, search_name) WHERE search_name IS NOT NULL`,
  ],
};
