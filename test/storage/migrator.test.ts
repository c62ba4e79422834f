import { Database } from "bun:sqlite";
import { beforeAll, describe, expect, test } from "bun:test";
import { systemClock } from "../../src/core/clock.ts";
import type { Migration } from "../../src/storage/columns.ts";
import { migrations } from "../../src/storage/migrations/all.ts";
import { type MigrationTarget, migrate, schemaVersion } from "../../src/storage/migrator.ts";
import { postgresMigrationTarget } from "../../src/storage/postgres.ts";
import { openPool } from "../../src/storage/postgres-driver.ts";
import { sqliteMigrationTarget } from "../../src/storage/sqlite.ts";
import { eachPostgresDriver } from "../support/databases.ts";
import { startPostgres } from "../support/postgres.ts";
import { rejection } from "./statements.ts";

const step = (id: number, ...statements: string[]): Migration => ({
  id,
  name: `step-${id}`,
  statements: () => statements,
});
const first = step(1, "CREATE TABLE one (a TEXT)");
const second = step(2, "CREATE TABLE two (a TEXT)", "INSERT INTO one VALUES ('x')");

function migratorTests(open: () => Promise<MigrationTarget>): void {
  const count = (target: MigrationTarget, table: string) =>
    target.exclusive((run) => run(`SELECT count(*) AS id FROM ${table}`)).then(([row]) => Number(row?.id));

  test("applies missing migrations once", async () => {
    const target = await open();
    expect(await migrate(target, systemClock, [first])).toBe(1);
    expect(await migrate(target, systemClock, [first, second])).toBe(1);
    expect(await migrate(target, systemClock, [first, second])).toBe(0);
    expect(await count(target, "one")).toBe(1);
    expect(await count(target, "schema_migrations")).toBe(2);
  });

  test("keeps nothing of a migration that throws", async () => {
    const target = await open();
    await migrate(target, systemClock, [first]);
    const broken = step(
      2,
      "CREATE TABLE two (a TEXT)",
      "INSERT INTO one VALUES ('x')",
      "INSERT INTO nowhere VALUES (1)",
    );
    await rejection(migrate(target, systemClock, [first, broken]));
    expect(await count(target, "one")).toBe(0);
    expect(await count(target, "schema_migrations")).toBe(1);
    await rejection(count(target, "two"));
    expect(await migrate(target, systemClock, [first, second])).toBe(1);
  });

  test("refuses a changed migration", async () => {
    const target = await open();
    await migrate(target, systemClock, [first]);
    const changed = step(1, "CREATE TABLE one (a TEXT, b TEXT)");
    expect(String(await rejection(migrate(target, systemClock, [changed, second])))).toContain("official release");
    await rejection(count(target, "two"));
  });

  test("refuses a database of a newer release", async () => {
    const target = await open();
    await migrate(target, systemClock, [first, second]);
    expect(String(await rejection(migrate(target, systemClock, [first])))).toContain("later one");
  });

  test("refuses a database that lacks a migration in the middle", async () => {
    const target = await open();
    await migrate(target, systemClock, [first, second]);
    await target.exclusive((run) => run("DELETE FROM schema_migrations WHERE id = 1"));
    expect(String(await rejection(migrate(target, systemClock, [first, second])))).toContain("restore a backup");
  });

  test("refuses a list with a gap", async () => {
    const target = await open();
    expect(String(await rejection(migrate(target, systemClock, [first, step(3, "SELECT 1")])))).toContain("count up");
  });
}

test("the schema's version is the id of the last migration", () => {
  expect(schemaVersion).toBe(migrations.length);
});

describe("sqlite", () => {
  migratorTests(async () => sqliteMigrationTarget(new Database(":memory:")));
});

eachPostgresDriver((driver) => {
  beforeAll(() => startPostgres(), 60_000);
  migratorTests(async () => {
    const url = await (await startPostgres()).createDatabase();
    return postgresMigrationTarget(await openPool(driver, { url, maxConnections: 2 }));
  });
});
