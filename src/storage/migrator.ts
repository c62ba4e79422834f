import { createHash } from "node:crypto";
import type { Clock } from "../core/clock.ts";
import type { Columns, Migration } from "./columns.ts";
import { migrations as allMigrations } from "./migrations/all.ts";

/** The columns of `schema_migrations` that the migrator reads. Other statements return no rows. */
export interface AppliedRow {
  id: unknown;
  name: unknown;
  checksum: unknown;
}

/** Runs one statement inside the migrator's transaction and returns its rows. */
export type RunStatement = (sql: string, params?: readonly (string | number)[]) => Promise<AppliedRow[]>;

/** A database, as the migrator needs it. */
export interface MigrationTarget {
  readonly columns: Columns;
  /** The placeholder of the n-th parameter (from 1). */
  readonly placeholder: (n: number) => string;
  /** Runs `work` in a transaction that excludes the migrators of all other processes. Keeps nothing when `work` throws. */
  exclusive<T>(work: (run: RunStatement) => Promise<T>): Promise<T>;
}

interface AppliedMigration {
  id: number;
  name: string;
  checksum: string;
}

/**
 * Runs before an older database is upgraded, while no other process can write to it. A fault leaves the database as it is.
 * @param from the id of its last migration
 */
export type BeforeUpgrade = (from: number, to: number) => Promise<void>;

/** The schema of this program: the id of its last migration. */
export const schemaVersion: number = allMigrations.at(-1)?.id ?? 0;

/** Returns the SHA-256 (hex) of the statements that run on this database. */
function migrationChecksum(migration: Migration, columns: Columns): string {
  const hash = createHash("sha256");
  for (const statement of migration.statements(columns)) hash.update(statement).update("\0");
  return hash.digest("hex");
}

/**
 * Upgrades the database to the schema of this program, with one transaction per migration. Each transaction reads the state
 * again, so that several nodes may start at once.
 * @returns how many migrations it applied
 * @throws Error whose sentence says what to do: a migration is changed or missing, or a newer release made the database
 */
export async function migrate(
  target: MigrationTarget,
  clock: Clock,
  migrations: readonly Migration[] = allMigrations,
  beforeUpgrade: BeforeUpgrade = async () => undefined,
): Promise<number> {
  requireConsecutive(migrations);
  for (let count = 0; ; count++) {
    const applied = await target.exclusive(async (run) => {
      const done = await readApplied(run, target.columns);
      requireKnown(done, migrations, target.columns);
      const next = migrations[done.length];
      if (!next) return false;
      if (count === 0 && done.length > 0) await beforeUpgrade(done.length, migrations.length);
      for (const statement of next.statements(target.columns)) await run(statement);
      const places = [1, 2, 3, 4].map(target.placeholder).join(", ");
      await run(`INSERT INTO schema_migrations (id, name, checksum, applied_at) VALUES (${places})`, [
        next.id,
        next.name,
        migrationChecksum(next, target.columns),
        clock.now(),
      ]);
      return true;
    });
    if (!applied) return count;
  }
}

async function readApplied(run: RunStatement, c: Columns): Promise<AppliedMigration[]> {
  await run(`CREATE TABLE IF NOT EXISTS schema_migrations (
    id ${c.int} PRIMARY KEY NOT NULL,
    name ${c.text} NOT NULL,
    checksum ${c.text} NOT NULL,
    applied_at ${c.int} NOT NULL
  ) ${c.end}`);
  const rows = await run("SELECT id, name, checksum FROM schema_migrations ORDER BY id");
  return rows.map((row) => ({ id: Number(row.id), name: String(row.name), checksum: String(row.checksum) }));
}

function requireConsecutive(migrations: readonly Migration[]): void {
  migrations.forEach((migration, index) => {
    if (migration.id !== index + 1) {
      throw new Error(
        `migration ${migration.id} (${migration.name}) is at place ${index + 1}: ids must count up from 1`,
      );
    }
  });
}

function requireKnown(done: AppliedMigration[], migrations: readonly Migration[], columns: Columns): void {
  const last = done.at(-1);
  if (last && last.id > migrations.length) {
    throw new Error(
      `The database has schema ${last.id} (${last.name}), but this release only knows ${migrations.length}: ` +
        "start the release that wrote it or a later one, or restore a backup from before the upgrade.",
    );
  }
  done.forEach((row, index) => {
    const migration = migrations[index];
    if (row.id !== index + 1 || !migration) {
      throw new Error(
        `The database has migration ${row.id} but lacks ${index + 1}, so it was edited: restore a backup.`,
      );
    }
    if (row.checksum !== migrationChecksum(migration, columns)) {
      throw new Error(
        `Migration ${row.id} (${row.name}) differs from the one that made the database: ` +
          "start an official release, or restore a backup that this release made.",
      );
    }
  });
}
