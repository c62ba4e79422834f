import { sql } from "kysely";
import type { Storage } from "../../src/storage/storage.ts";

export type Row = Record<string, unknown>;
/** Rows by table, in the order in which the tables were made. A table never refers to a later table. */
export type Rows = Record<string, Row[]>;

interface Column {
  table: string;
  name: string;
  type: string;
}

/** Tables that a call may change without an effect: limits, the audit log, and the last use of a key. */
const TRACES: ReadonlySet<string> = new Set(["rate_limits", "audit_entries", "audit_floods"]);
const TRACE = "last_used_at";

async function columnsOf(storage: Storage): Promise<Column[]> {
  const query =
    storage.dialect === "sqlite"
      ? sql<Column>`SELECT m.name AS "table", c.name AS name, c.type AS type
          FROM sqlite_master m JOIN pragma_table_info(m.name) c
          WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.rowid, c.cid`
      : sql<Column>`SELECT c.relname AS "table", a.attname AS name, a.atttypid::regtype::text AS type
          FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY c.oid, a.attnum`;
  const { rows } = await query.execute(storage.read.kysely);
  return rows.filter((column) => column.table !== "schema_migrations");
}

/** Returns the tables in the order in which they were made. */
export async function tablesOf(storage: Storage): Promise<string[]> {
  return [...new Set((await columnsOf(storage)).map((column) => column.table))];
}

/** Returns every row of every table. */
export async function dump(storage: Storage): Promise<Rows> {
  const rows: Rows = {};
  for (const table of await tablesOf(storage)) {
    rows[table] = (await sql<Row>`SELECT * FROM ${sql.table(table)}`.execute(storage.read.kysely)).rows;
  }
  return rows;
}

interface Line {
  name: string;
  row: string;
}

type Kind = "all" | "without traces";

/** Maps a dialect and a kind to the statement that reads all rows as JSON. */
const statements = new Map<string, string>();

async function linesOf(storage: Storage, kind: Kind): Promise<Line[]> {
  const key = `${storage.dialect}, ${kind}`;
  const read = async (statement: string) => (await sql.raw<Line>(statement).execute(storage.read.kysely)).rows;
  const known = statements.get(key);
  // A test of failures renames a table; the statement is then built again.
  const lines = known === undefined ? undefined : await read(known).catch(() => undefined);
  if (lines) return lines;
  const columns = await columnsOf(storage);
  const chosen = columns.filter(({ table, name }) => kind === "all" || !(TRACES.has(table) || name === TRACE));
  const statement = readingOf(storage.dialect, chosen);
  statements.set(key, statement);
  return read(statement);
}

/** Builds a single statement, which needs one round trip. */
function readingOf(dialect: Storage["dialect"], columns: readonly Column[]): string {
  const row = dialect === "sqlite" ? sqliteRow : postgresRow;
  const reads = [...Map.groupBy(columns, (column) => column.table)].map(
    ([table, members]) => `SELECT '${table}' AS name, ${row(members)} AS "row" FROM ${table}`,
  );
  return reads.join(" UNION ALL ");
}

function sqliteRow(columns: readonly Column[]): string {
  const value = ({ name, type }: Column) => (type === "BLOB" ? `hex("${name}")` : `"${name}"`);
  return `json_object(${columns.map((column) => `'${column.name}', ${value(column)}`).join(", ")})`;
}

function postgresRow(columns: readonly Column[]): string {
  const names = columns.map(({ name }) => `"${name}"`).join(", ");
  return `(SELECT row_to_json(chosen)::text FROM (SELECT ${names}) AS chosen)`;
}

/** Returns the whole content of the database as text. */
export async function textOf(storage: Storage): Promise<string> {
  return (await linesOf(storage, "all")).map(({ name, row }) => `${name} ${row}`).join("\n");
}

/** Returns the state of the database as text, without traces. Two equal texts mean that nothing has changed. */
export async function stateOf(storage: Storage): Promise<string> {
  const lines = await linesOf(storage, "without traces");
  return lines
    .map(({ name, row }) => `${name} ${row}`)
    .sort()
    .join("\n");
}
