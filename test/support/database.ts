import { sql } from "kysely";
import { openStorage } from "../../src/storage/open.ts";
import type { Storage } from "../../src/storage/storage.ts";
import type { FakeClock } from "./fake-clock.ts";
import { LeasedStorage } from "./leased-storage.ts";
import { startPostgres } from "./postgres.ts";
import { type Rows, tablesOf } from "./tables.ts";

export type DatabaseKind = "sqlite" | "postgres";

/** Opens an empty database with the current schema. */
export function openEmpty(clock: FakeClock): Promise<Storage> {
  return openStorage({ kind: "memory", clock });
}

let postgres: Promise<Storage> | undefined;

/** Opens a database with the current schema and exactly these rows. `rows` are the same at every call. */
export async function openFilled(kind: DatabaseKind, clock: FakeClock, rows: Rows): Promise<Storage> {
  if (kind === "sqlite") {
    const storage = await openEmpty(clock);
    await insertAll(storage, rows);
    return storage;
  }
  postgres ??= openPostgres(clock, rows);
  const storage = await postgres;
  await sql`SELECT template.restore()`.execute(storage.read.kysely);
  return new LeasedStorage(storage);
}

async function insertAll(storage: Storage, rows: Rows): Promise<void> {
  await storage.write(async (tx) => {
    for (const [table, values] of Object.entries(rows)) {
      for (const row of values) {
        const columns = sql.join(Object.keys(row).map((name) => sql.ref(name)));
        const statement = sql`INSERT INTO ${sql.table(table)} (${columns}) VALUES (${sql.join(Object.values(row))})`;
        await statement.execute(tx.kysely);
      }
    }
  });
}

/** Opens the one database of this test process, which its files use one after the other. */
async function openPostgres(clock: FakeClock, rows: Rows): Promise<Storage> {
  const server = await startPostgres();
  const name = `worker_${Bun.hash(JSON.stringify(rows)).toString(36)}_${process.pid}`;
  const isNew = await server.ensureDatabase(name);
  const url = server.urlOf(name);
  const storage = await openStorage({ kind: "postgres", url, driver: "bun", clock, maxConnections: 6 });
  if (isNew) await prepareRestore(storage, rows);
  return storage;
}

/**
 * Makes `template.restore()`, which empties and refills the database in one round trip, planned once per connection.
 */
async function prepareRestore(storage: Storage, rows: Rows): Promise<void> {
  await insertAll(storage, rows);
  const filled = Object.keys(rows).filter((table) => rows[table]?.length);
  const tables = await tablesOf(storage);
  const steps = [
    // Three times as fast as TRUNCATE, which makes a new file for every table.
    ...tables.toReversed().map((table) => `DELETE FROM ${table};`),
    ...filled.map((table) => `INSERT INTO ${table} SELECT * FROM template.${table};`),
    "PERFORM setval(pg_get_serial_sequence('audit_entries', 'seq'), 1, false);",
  ];
  await storage.write(async (tx) => {
    const run = (statement: string) => sql.raw(statement).execute(tx.kysely);
    await run("CREATE SCHEMA template");
    for (const table of filled) await run(`CREATE TABLE template.${table} AS TABLE ${table}`);
    await run(`CREATE FUNCTION template.restore() RETURNS void LANGUAGE plpgsql AS $$ BEGIN ${steps.join(" ")} END $$`);
  });
}
