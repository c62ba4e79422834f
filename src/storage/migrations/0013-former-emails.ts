import type { Migration } from "../columns.ts";

/** Adds the addresses that users removed lately, which still hear of the account's deletion. */
export const formerEmails: Migration = {
  id: 13,
  name: "former-emails",
  statements: (c) => [
    `CREATE TABLE former_emails (
      user_id ${c.text} NOT NULL REFERENCES users (id),
      canonical ${c.text} NOT NULL,
      tenant_id ${c.text} NOT NULL REFERENCES tenants (id),
      address ${c.text} NOT NULL,
      verified_at ${c.int} NOT NULL,
      removed_at ${c.int} NOT NULL,
      PRIMARY KEY (user_id, canonical)
    ) ${c.end}`,
    `CREATE INDEX former_emails_by_time ON former_emails (removed_at)`,
  ],
};
