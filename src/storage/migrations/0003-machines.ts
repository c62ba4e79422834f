import type { Migration } from "../columns.ts";

/** Adds callers that are not people: M2M clients with their secrets and grants, and users named with a public key. */
export const machines: Migration = {
  id: 3,
  name: "machines",
  statements: (c) => [
    `CREATE TABLE client_secrets (
      id ${c.text} PRIMARY KEY NOT NULL,
      tenant_id ${c.text} NOT NULL REFERENCES tenants (id),
      application_id ${c.text} NOT NULL REFERENCES applications (id),
      slot ${c.int} NOT NULL,
      secret_digest ${c.bytes} NOT NULL,
      created_at ${c.int} NOT NULL,
      last_used_at ${c.int},
      revoked_at ${c.int}
    ) ${c.end}`,
    `CREATE UNIQUE INDEX client_secrets_live ON client_secrets (application_id, slot) WHERE revoked_at IS NULL`,
    `CREATE INDEX client_secrets_by_application ON client_secrets (application_id, id)`,
    `CREATE INDEX client_secrets_by_end ON client_secrets (revoked_at)`,
    `CREATE TABLE client_grants (
      application_id ${c.text} NOT NULL REFERENCES applications (id),
      audience ${c.text} NOT NULL,
      tenant_id ${c.text} NOT NULL REFERENCES tenants (id),
      scopes ${c.text} NOT NULL,
      created_at ${c.int} NOT NULL,
      updated_at ${c.int} NOT NULL,
      PRIMARY KEY (application_id, audience)
    ) ${c.end}`,
    `CREATE TABLE public_users (
      key_id ${c.text} NOT NULL,
      subject ${c.text} NOT NULL,
      tenant_id ${c.text} NOT NULL REFERENCES tenants (id),
      user_id ${c.text} NOT NULL REFERENCES users (id),
      created_at ${c.int} NOT NULL,
      PRIMARY KEY (key_id, subject)
    ) ${c.end}`,
    `CREATE UNIQUE INDEX public_users_by_user ON public_users (user_id)`,
    `CREATE INDEX revocations_by_digest ON revocations (tenant_id, digest)`,
  ],
};
