import { type RawBuilder, type SqlBool, sql } from "kysely";

/**
 * Returns the condition that another version of the master key made the seal in this column: a seal begins with its format and
 * two bytes of its version. NULL meets it never.
 */
export function isSealedByOther(column: string, current: number): RawBuilder<SqlBool> {
  const head = new Uint8Array([1, current >> 8, current & 0xff]);
  return sql<SqlBool>`substr(${sql.ref(column)}, 1, 3) <> ${head}`;
}

/** Counts seals by the version of their master key, in the tables that hold seals of it. */
export const SEALS_BY_HEAD =
  "SELECT head, count(*) AS seals FROM (" +
  "SELECT substr(sealed, 1, 3) AS head FROM data_keys " +
  "UNION ALL SELECT substr(sealed_private, 1, 3) FROM signing_keys " +
  "UNION ALL SELECT substr(sealed_secret, 1, 3) FROM api_keys WHERE sealed_secret IS NOT NULL " +
  "UNION ALL SELECT substr(previous_sealed, 1, 3) FROM api_keys WHERE previous_sealed IS NOT NULL" +
  ") AS seals GROUP BY head";
