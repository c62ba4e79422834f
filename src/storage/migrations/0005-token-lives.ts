import type { Migration } from "../columns.ts";

/**
 * Adds the end of the last token that was issued under an earlier setting. Of a change before this migration only the time is
 * known, and no lifetime exceeds a day.
 */
export const tokenLives: Migration = {
  id: 5,
  name: "token-lives",
  statements: (c) => [
    `ALTER TABLE applications ADD COLUMN tokens_until_at ${c.int} NOT NULL DEFAULT 0`,
    `UPDATE applications SET tokens_until_at = updated_at + 86460000 WHERE updated_at > created_at`,
  ],
};
