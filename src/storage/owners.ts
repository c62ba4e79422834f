import type { Database } from "./schema.ts";

type Table = keyof Database;

/**
 * The one folder of src/ whose stores name each table in SQL. Every table needs an owner, and test/architecture.test.ts
 * checks every query against this list.
 */
export const OWNERS: Readonly<Record<Table, string>> = {
  instance_settings: "identity/keys",
  data_keys: "identity/keys",
  signing_keys: "identity/keys",
  tenants: "identity/tenants",
  applications: "identity/applications",
  users: "identity/users",
  user_emails: "identity/users",
  former_emails: "identity/users",
  sessions: "identity/sessions",
  trusted_devices: "identity/factors",
  account_devices: "identity/devices",
  flows: "identity/flows",
  api_keys: "identity/api-keys",
  idempotency_records: "identity/idempotency",
  api_resources: "identity/resources",
  client_secrets: "identity/clients",
  client_grants: "identity/clients",
  public_users: "identity/customer-tokens",
  revocations: "identity/revocations",
  audit_entries: "identity/audit",
  audit_floods: "identity/audit",
  counters: "storage",
  rate_limits: "storage",
  outbox_mails: "mail",
  mail_templates: "mail",
  password_credentials: "features/password",
  passkeys: "features/passkeys",
  totp_factors: "features/mfa",
  recovery_codes: "features/mfa",
};

/** Joins that cross a folder to save a read on every call. They read, and never write. */
export const JOINS: Readonly<Record<string, readonly Table[]>> = {
  // The gate reads a session with its user in one statement, and a refresh looks at both at once.
  "identity/sessions": ["users", "user_emails"],
  // Retention looks for users without a session among all users.
  "identity/users": ["sessions"],
};
