import { Database } from "bun:sqlite";
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import { peek } from "../../src/storage/inspect.ts";
import { migrations } from "../../src/storage/migrations/all.ts";
import { migrate, schemaVersion } from "../../src/storage/migrator.ts";
import { sqliteMigrationTarget } from "../../src/storage/sqlite.ts";
import { prepare, sallyport, scratch, tidy } from "../support/cli.ts";

setDefaultTimeout(120_000);
afterAll(tidy);

/** Puts the database of an older release in place. */
async function downgrade(data: string, schema: number): Promise<void> {
  for (const name of readdirSync(data)) if (name.startsWith("sallyport.db")) rmSync(join(data, name));
  const database = new Database(join(data, "sallyport.db"));
  await migrate(sqliteMigrationTarget(database), systemClock, migrations.slice(0, schema));
  database.close();
}

const copiesIn = (data: string) => readdirSync(data).filter((name) => name.startsWith("before-schema-"));

test("an upgrade copies the database first, says where, and keeps the latest two copies", async () => {
  const { data, env } = await prepare();
  expect(copiesIn(data)).toEqual([]);
  for (const kept of [1, 2, 2]) {
    await downgrade(data, 4);
    const { stderr } = await sallyport(["app", "list"], { env });
    expect(stderr).toContain(`Upgrading the database from schema 4 to ${schemaVersion}. A copy from before is ${data}`);
    expect(copiesIn(data)).toHaveLength(kept);
  }
  for (const copy of copiesIn(data)) expect((await peek(join(data, copy))).schemaVersion).toBe(4);
  expect((await peek(join(data, "sallyport.db"))).schemaVersion).toBe(schemaVersion);
  expect((await sallyport(["app", "list"], { env })).stderr).not.toContain("Upgrading");
});

test("without room for the copy nothing is upgraded, and the message says so", async () => {
  const { data, env } = await prepare();
  await downgrade(data, 4);
  // A limit on the size of a file stands for a full disk.
  const program = ["bash", "-c", 'ulimit -f 64; trap "" XFSZ; exec "$@"', "-", process.execPath, "run", "src/main.ts"];
  const { code, stderr } = await sallyport(["app", "list"], { env, program, cwd: join(import.meta.dir, "../..") });
  expect([code, stderr]).toEqual([1, expect.stringContaining("so nothing was changed. Free space")]);
  expect(copiesIn(data)).toEqual([]);
  expect((await peek(join(data, "sallyport.db"))).schemaVersion).toBe(4);
});

test("an upgrade that is refused before its first statement leaves the database as it is", async () => {
  const directory = scratch();
  const database = new Database(join(directory, "sallyport.db"));
  const target = sqliteMigrationTarget(database);
  await migrate(target, systemClock, migrations.slice(0, 4));
  const refused = migrate(target, systemClock, migrations, async () => {
    throw new Error("no room");
  });
  expect(refused).rejects.toThrow("no room");
  await refused.catch(() => undefined);
  expect(database.query("SELECT max(id) AS id FROM schema_migrations").get()).toEqual({ id: 4 });
  database.close();
});
