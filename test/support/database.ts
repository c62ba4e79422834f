import { sql } from "kysely";
import { openStorage } from "../../src/storage/open.ts";
import type { Executor, Storage } from "../../src/storage/storage.ts";
import type { FakeClock } from "./fake-clock.ts";
import { startPostgres } from "./postgres.ts";

export type DatabaseKind = "sqlite" | "postgres";

export type Row = Record<string, unknown>;
/** Rows by table, in the order in which the tables were made: a table never refers to a later one. */
export type Rows = Record<string, Row[]>;

/** What every call may touch without having changed anything: limits, the audit log, and when a key was last used. */
const TRACES: ReadonlySet<string> = new Set(["rate_limits", "audit_entries", "audit_floods"]);

let server: Promise<{ url: string; storage: Storage; tables: string[] }> | undefined;

/** An empty database of today's schema. Tests of PostgreSQL share one, emptied: a new one costs more than a whole test. */
export async function openDatabase(kind: DatabaseKind, clock: FakeClock): Promise<Storage> {
  if (kind === "sqlite") return openStorage({ kind: "memory", clock });
  server ??= openServer(clock);
  const { url, storage, tables } = await server;
  await storage.write(async (tx) => {
    // Three times as fast as TRUNCATE, which makes a new file for every table.
    const deletions = tables.toReversed().map((table) => `DELETE FROM ${table};`);
    const renumber = "ALTER TABLE audit_entries ALTER COLUMN seq RESTART;";
    await sql.raw(`DO $$ BEGIN ${deletions.join(" ")} ${renumber} END $$`).execute(tx.kysely);
  });
  return openStorage({ kind: "postgres", url, driver: "bun", clock, maxConnections: 6 });
}

async function openServer(clock: FakeClock) {
  const postgres = await startPostgres();
  const url = await postgres.createDatabase();
  const storage = await openStorage({ kind: "postgres", url, driver: "bun", clock, maxConnections: 2 });
  return { url, storage, tables: await tablesOf(storage) };
}

async function tablesOf(storage: Storage): Promise<string[]> {
  const query =
    storage.dialect === "sqlite"
      ? sql<{
          name: string;
        }>`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid`
      : sql<{ name: string }>`SELECT relname AS name FROM pg_class
          WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY oid`;
  const { rows } = await query.execute(storage.read.kysely);
  return rows.map((row) => row.name).filter((name) => name !== "schema_migrations");
}

/** Every row of every table. */
export async function dump(storage: Storage): Promise<Rows> {
  const rows: Rows = {};
  for (const table of await tablesOf(storage)) {
    rows[table] = (await sql<Row>`SELECT * FROM ${sql.table(table)}`.execute(storage.read.kysely)).rows;
  }
  return rows;
}

export async function restore(storage: Storage, rows: Rows): Promise<void> {
  await storage.write(async (tx) => {
    for (const [table, values] of Object.entries(rows)) {
      for (const row of values) await insert(tx, table, row);
    }
  });
}

async function insert(tx: Executor, table: string, row: Row): Promise<void> {
  const columns = sql.join(Object.keys(row).map((name) => sql.ref(name)));
  await sql`INSERT INTO ${sql.table(table)} (${columns}) VALUES (${sql.join(Object.values(row))})`.execute(tx.kysely);
}

/** The state of the database as one text, without traces: two equal texts mean that nothing has changed in between. */
export async function stateOf(storage: Storage): Promise<string> {
  const lines: string[] = [];
  for (const [table, rows] of Object.entries(await dump(storage))) {
    if (TRACES.has(table)) continue;
    for (const row of rows) lines.push(`${table} ${JSON.stringify({ ...row, last_used_at: null })}`);
  }
  return lines.sort().join("\n");
}
