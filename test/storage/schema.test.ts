import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { systemClock } from "../../src/core/clock.ts";
import { migrate } from "../../src/storage/migrator.ts";
import { postgresMigrationTarget } from "../../src/storage/postgres.ts";
import { openBunPool } from "../../src/storage/postgres-bun-pool.ts";
import { sqliteMigrationTarget } from "../../src/storage/sqlite.ts";
import { postgresTest } from "../support/databases.ts";
import { startPostgres } from "../support/postgres.ts";

/** A line for each column and index, in words that both databases share. */
type SchemaDump = string[];

const TYPES: Record<string, string> = {
  INTEGER: "int",
  bigint: "int",
  TEXT: "text",
  text: "text",
  BLOB: "bytes",
  bytea: "bytes",
};

async function dumpSqlite(): Promise<SchemaDump> {
  const database = new Database(":memory:");
  await migrate(sqliteMigrationTarget(database), systemClock);
  const rows = <R>(sql: string) => database.query<R, []>(sql).all();
  // A rowid key is never null, whatever its declaration says.
  const columns = rows<{ t: string; c: string; type: string; required: number }>(
    `SELECT t.name AS t, c.name AS c, c.type AS type, (c."notnull" OR c.pk > 0) AS required
     FROM pragma_table_list t JOIN pragma_table_info(t.name) c WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'`,
  ).map((row) => `${row.t}.${row.c} ${TYPES[row.type] ?? row.type}${row.required ? " not null" : ""}`);
  const indexes = rows<{ t: string; u: number; columns: string; partial: string | null }>(
    `SELECT m.tbl_name AS t, i."unique" AS u, (SELECT group_concat(x.name) FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno) x) AS columns,
       CASE WHEN i.partial THEN substr(m.sql, instr(m.sql, 'WHERE ') + 6) END AS partial
     FROM pragma_table_list t JOIN pragma_index_list(t.name) i LEFT JOIN sqlite_schema m ON m.name = i.name
     WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'`,
  ).map((row) => indexLine(row.t, row.u === 1, row.columns, row.partial));
  const keys = rows<{ t: string; c: string }>(
    `SELECT t.name AS t, c.name AS c FROM pragma_table_list t JOIN pragma_table_info(t.name) c
     WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%' AND c.pk = 1 AND c.type = 'INTEGER'
       AND (SELECT count(*) FROM pragma_table_info(t.name) WHERE pk > 0) = 1`,
  ).map((row) => indexLine(row.t, true, row.c, null));
  const references = rows<{ t: string; c: string; target: string }>(
    `SELECT t.name AS t, f."from" AS c, f."table" AS target FROM pragma_table_list t JOIN pragma_foreign_key_list(t.name) f
     WHERE t.schema = 'main'`,
  ).map((row) => `${row.t}.${row.c} references ${row.target}`);
  database.close();
  return [...columns, ...indexes, ...keys, ...references].sort();
}

async function dumpPostgres(): Promise<SchemaDump> {
  const pool = openBunPool({ url: await (await startPostgres()).createDatabase(), maxConnections: 1 });
  await migrate(postgresMigrationTarget(pool), systemClock);
  const rows = async <R>(sql: string) => (await pool.query(sql, [])).rows as R[];
  const columns = await rows<{ t: string; c: string; type: string; nullable: string }>(
    `SELECT table_name AS t, column_name AS c, data_type AS type, is_nullable AS nullable
     FROM information_schema.columns WHERE table_schema = 'public'`,
  );
  const indexes = await rows<{ t: string; u: boolean; columns: string; partial: string | null }>(
    `SELECT c.relname AS t, i.indisunique AS u, pg_get_expr(i.indpred, i.indrelid) AS partial,
       (SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(i.indkey) WITH ORDINALITY k(num, n)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num) AS columns
     FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace s ON s.oid = c.relnamespace WHERE s.nspname = 'public'`,
  );
  const references = await rows<{ t: string; c: string; target: string }>(
    `SELECT k.conrelid::regclass::text AS t, a.attname AS c, k.confrelid::regclass::text AS target FROM pg_constraint k
     JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] WHERE k.contype = 'f'`,
  );
  await pool.close();
  return [
    ...columns.map(
      (row) => `${row.t}.${row.c} ${TYPES[row.type] ?? row.type}${row.nullable === "NO" ? " not null" : ""}`,
    ),
    ...indexes.map((row) => indexLine(row.t, row.u, row.columns, row.partial)),
    ...references.map((row) => `${row.t}.${row.c} references ${row.target}`),
  ].sort();
}

function indexLine(table: string, unique: boolean, columns: string, partial: string | null): string {
  const where = partial ? ` where ${partial.replaceAll(/[()]|::text/g, "").trim()}` : "";
  return `${table} ${unique ? "unique " : ""}index ${columns}${where}`;
}

describe("the schema", () => {
  test("is strict in every table on SQLite", async () => {
    const database = new Database(":memory:");
    await migrate(sqliteMigrationTarget(database), systemClock);
    const lax = database
      .query("SELECT name FROM pragma_table_list WHERE schema = 'main' AND NOT strict AND name NOT LIKE 'sqlite_%'")
      .values();
    expect(lax).toEqual([]);
    database.close();
  });

  postgresTest(
    "is the same on both databases",
    async () => {
      const [sqlite, postgres] = await Promise.all([dumpSqlite(), dumpPostgres()]);
      expect(sqlite.length).toBeGreaterThan(100);
      expect(sqlite).toEqual(postgres);
    },
    60_000,
  );
});
