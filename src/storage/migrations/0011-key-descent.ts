import type { Migration } from "../columns.ts";

/** Tells which key made a key, so that limits and revocation follow descent. */
export const keyDescent: Migration = {
  id: 11,
  name: "key-descent",
  statements: (c) => [
    `ALTER TABLE api_keys ADD COLUMN parent_id ${c.text}`,
    `UPDATE api_keys SET parent_id = created_by WHERE created_by IN (SELECT id FROM api_keys)`,
    `CREATE INDEX api_keys_by_parent ON api_keys (parent_id) WHERE parent_id IS NOT NULL`,
  ],
};
