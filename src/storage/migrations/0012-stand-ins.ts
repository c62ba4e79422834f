import type { Migration } from "../columns.ts";

/** Marks sessions in which a recovery code stood for the second factor without making two different factors. */
export const standIns: Migration = {
  id: 12,
  name: "stand-ins",
  statements: (c) => [`ALTER TABLE sessions ADD COLUMN is_stand_in ${c.int} NOT NULL DEFAULT 0`],
};
