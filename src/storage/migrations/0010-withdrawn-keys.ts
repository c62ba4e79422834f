import type { Migration } from "../columns.ts";

/** Adds the time at which an operator withdrew a signing key. */
export const withdrawnKeys: Migration = {
  id: 10,
  name: "withdrawn-keys",
  statements: (c) => [`ALTER TABLE signing_keys ADD COLUMN withdrawn_at ${c.int}`],
};
