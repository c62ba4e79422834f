import { expect } from "bun:test";
import { sql } from "kysely";
import { scenarios } from "../support/scenarios.ts";

/** The conditions of retention, as the stores state them, and the indexes that must find the rows. */
const CONDITIONS: [table: string, condition: string, indexes: string[]][] = [
  ["api_keys", "revoked_at < 1000 OR expires_at < 1000", ["api_keys_by_revocation", "api_keys_by_expiry"]],
  ["api_keys", "previous_expires_at <= 1000", ["api_keys_by_previous"]],
  ["signing_keys", "expires_at < 1000", ["signing_keys_by_expiry"]],
  ["totp_factors", "enabled_at IS NULL AND pending_at < 1000", ["totp_factors_by_pending"]],
  ["totp_factors", "enabled_at IS NOT NULL AND pending_at < 1000", ["totp_factors_by_pending"]],
];

scenarios("the plans of retention", (t) => {
  t.test("find due keys and unfinished factors by an index, and read no table whole", async (app) => {
    for (const [table, condition, indexes] of CONDITIONS) {
      const query = `SELECT 1 FROM ${table} WHERE ${condition} LIMIT 1000`;
      const plan = await app.storage.write(async ({ kysely }) => {
        if (app.storage.dialect === "sqlite") {
          return (await sql.raw(`EXPLAIN QUERY PLAN ${query}`).execute(kysely)).rows;
        }
        // The tables of a test are so small that reading them whole would be cheaper.
        await sql.raw("SET LOCAL enable_seqscan = off").execute(kysely);
        return (await sql.raw(`EXPLAIN ${query}`).execute(kysely)).rows;
      });
      const text = JSON.stringify(plan);
      for (const index of indexes) expect([condition, text]).toEqual([condition, expect.stringContaining(index)]);
      expect([condition, text]).toEqual([condition, expect.not.stringMatching(/"SCAN |Seq Scan/)]);
    }
  });
});
