import type { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { sqlState } from "./errors.ts";
import { openPool } from "./postgres-driver.ts";
import { SEALS_BY_HEAD } from "./seals.ts";
import { openReader } from "./sqlite-file.ts";
import { copyInto } from "./sqlite-maintenance.ts";

/** Facts that a database holds about itself. */
export interface Peek {
  /** The id of its last migration; 0 before the first one. */
  schemaVersion: number;
  /** Whether it has a tenant, because `init` ran to its end. */
  isSetUp: boolean;
  /** Time of the newest audit entry, in ms. */
  newestAt: number | null;
  /** The check value, which only the right master key opens. */
  masterKeyCheck: string | null;
  /** Signing keys of the default tenant, published or not. */
  keyIds: ReadonlySet<string>;
  /** Origins that enabled applications allow. */
  origins: readonly string[];
  /** Seals by the version of the master key that made them. */
  seals: ReadonlyMap<number, number>;
  /** Mail senders of the tenants that set their own. */
  senders: readonly string[];
}

type Query = (sql: string) => Promise<Record<string, unknown>[]>;

/**
 * Looks into a SQLite file. Unlike `openStorage`, it never changes the schema.
 * @throws Error with SQLite's `code` when the file is not a readable database
 */
export function peek(file: string): Promise<Peek> {
  return reading(file, (database) => look(async (sql) => database.query<Record<string, unknown>, []>(sql).all()));
}

/** Does the same as {@link peek} for PostgreSQL. @throws Error of the driver */
export async function peekPostgres(url: string, driver: "bun" | "pg"): Promise<Peek> {
  const pool = await openPool(driver, { url, maxConnections: 1 });
  try {
    return await look(async (sql) => (await pool.query(sql, [])).rows);
  } finally {
    await pool.close();
  }
}

/** Tells whether the file is a database with a tenant. @throws as {@link peek} */
export async function isPrepared(file: string): Promise<boolean> {
  return existsSync(file) && (await peek(file)).isSetUp;
}

/**
 * Makes a consistent, flushed copy that only its owner can read, as `Storage.backup` does. It uses a reader, so it neither
 * waits for the process that writes nor upgrades an older database.
 * @throws Error with `code` EEXIST when `target` exists
 */
export function copyDatabase(source: string, target: string): Promise<void> {
  return copyInto(target, (file) =>
    reading(source, async (database) => void database.query("VACUUM INTO ?").run(file)),
  );
}

/** @returns `ok`, or the first damaged places of the file @throws Error with SQLite's `code` unless it is a database */
export function damageIn(file: string): Promise<string> {
  return reading(file, async (database) => {
    const rows = database.query<{ quick_check: string }, []>("PRAGMA quick_check(3)").all();
    return rows.map((row) => row.quick_check).join("; ");
  });
}

/** @returns `ok`, or the faults that SQLite finds in the file @throws Error with SQLite's `code` unless it is a database */
export function verdictOn(file: string): Promise<string> {
  return reading(file, async (database) => {
    const strays = database.query("PRAGMA foreign_key_check").all().length;
    if (strays > 0) return `${strays} rows refer to rows that do not exist`;
    const rows = database.query<{ integrity_check: string }, []>("PRAGMA integrity_check(3)").all();
    return rows.map((row) => row.integrity_check).join("; ");
  });
}

/** Runs the work on a read-only connection, then closes the connection and its statements. */
async function reading<T>(file: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = openReader(file);
  try {
    return await work(database);
  } finally {
    database.clearQueryCache();
    database.close();
  }
}

async function look(query: Query): Promise<Peek> {
  const rows = (sql: string) =>
    query(sql).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw error;
    });
  const value = async (sql: string) => (await rows(sql))[0]?.value;
  const keys = await rows(
    "SELECT signing_keys.id AS value FROM signing_keys JOIN tenants ON tenants.id = tenant_id WHERE slug = 'default'",
  );
  const newest = await value(
    "SELECT max(occurred_at) AS value FROM (SELECT occurred_at FROM audit_entries ORDER BY seq DESC LIMIT 100) AS newest",
  );
  const check = await value("SELECT value FROM instance_settings WHERE name = 'master_key_check'");
  return {
    schemaVersion: Number((await value("SELECT max(id) AS value FROM schema_migrations")) ?? 0),
    isSetUp: Number((await value("SELECT count(*) AS value FROM tenants")) ?? 0) > 0,
    newestAt: newest == null ? null : Number(newest),
    masterKeyCheck: check == null ? null : String(check),
    keyIds: new Set(keys.map((row) => String(row.value))),
    origins: (await rows("SELECT origins AS value FROM applications WHERE disabled_at IS NULL")).flatMap(
      (row) => JSON.parse(String(row.value)) as string[],
    ),
    seals: new Map(
      (await rows(SEALS_BY_HEAD)).map(({ head, seals }) => {
        const [, high = 0, low = 0] = head as Uint8Array;
        return [(high << 8) | low, Number(seals)];
      }),
    ),
    senders: (
      await rows("SELECT DISTINCT mail_from AS value FROM tenants WHERE mail_from IS NOT NULL AND disabled_at IS NULL")
    ).map((row) => String(row.value)),
  };
}

/** Tells whether the error names a table or a column that an older release did not have. */
function isMissing(error: unknown): boolean {
  if (["42P01", "42703"].includes(sqlState(error) ?? "")) return true;
  return error instanceof Error && /^no such (?:table|column)/.test(error.message);
}
