import type { Migration } from "../columns.ts";

/** Lets a request for a mail find the same mail that is still good. */
export const pendingMails: Migration = {
  id: 9,
  name: "pending-mails",
  statements: (c) => [
    `ALTER TABLE flows ADD COLUMN mail ${c.text}`,
    `CREATE INDEX flows_by_mail ON flows (mail, id) WHERE mail IS NOT NULL`,
  ],
};
