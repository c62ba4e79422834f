import { Database } from "bun:sqlite";
import { beforeAll, describe, expect, test } from "bun:test";
import { systemClock } from "../../src/core/clock.ts";
import { migrations } from "../../src/storage/migrations/all.ts";
import { type MigrationTarget, migrate } from "../../src/storage/migrator.ts";
import { postgresMigrationTarget } from "../../src/storage/postgres.ts";
import { openBunPool } from "../../src/storage/postgres-bun-pool.ts";
import { sqliteMigrationTarget } from "../../src/storage/sqlite.ts";
import { postgresGroup } from "../support/databases.ts";
import { startPostgres } from "../support/postgres.ts";

const BEFORE = [
  "INSERT INTO tenants VALUES ('t', 'default', 'Default', NULL, 1, 1, NULL)",
  "INSERT INTO applications VALUES ('a', 't', 'A', 'web', 'EdDSA', '[]', '[]', '[]', 'immediate', 1, 1, 1, '/', 1, 1, NULL)",
  "INSERT INTO users VALUES ('u', 't', NULL, 'Ada L', '{}', '{}', 1, 1, NULL, NULL)",
  "INSERT INTO users VALUES ('v', 't', NULL, NULL, '{}', '{}', 1, 1, NULL, NULL)",
  "INSERT INTO user_emails VALUES ('e', 't', 'u', 'Ada@example.com', 'ada@example.com', 1, NULL, 1)",
  "INSERT INTO api_keys VALUES ('k', 't', 'a', 'secret', 'First', NULL, '[\"admin\"]', NULL, 1, NULL, NULL, NULL)",
];

function upgradeTests(open: () => Promise<MigrationTarget>): void {
  test("a database of the first release is upgraded and keeps its rows", async () => {
    const target = await open();
    await migrate(target, systemClock, migrations.slice(0, 1));
    await target.exclusive(async (run) => {
      for (const statement of BEFORE) await run(statement);
    });
    await migrate(target, systemClock, migrations.slice(0, 2));
    const answer = await target.exclusive((run) =>
      run(
        `SELECT generation AS id, networks AS name, (SELECT search_name FROM users WHERE id = 'u') AS checksum
         FROM api_keys WHERE rate_limit IS NULL AND rotated_at IS NULL`,
      ),
    );
    expect(answer.map((row) => [Number(row.id), row.name, row.checksum])).toEqual([[1, "[]", "ada l"]]);
  });
}

describe("sqlite", () => {
  upgradeTests(async () => sqliteMigrationTarget(new Database(":memory:")));
});

postgresGroup("postgres", () => {
  beforeAll(() => startPostgres(), 60_000);
  upgradeTests(async () => {
    const url = await (await startPostgres()).createDatabase();
    return postgresMigrationTarget(openBunPool({ url, maxConnections: 1 }));
  });

  test("the columns of a prefix search sort byte by byte, whatever the database's locale", async () => {
    const target = postgresMigrationTarget(
      openBunPool({ url: await (await startPostgres()).createDatabase(), maxConnections: 1 }),
    );
    await migrate(target, systemClock, migrations.slice(0, 2));
    const rows = await target.exclusive((run) =>
      run(`SELECT 1 AS id, table_name || '.' || column_name AS name, '' AS checksum
           FROM information_schema.columns WHERE table_schema = 'public' AND collation_name = 'C' ORDER BY 2`),
    );
    expect(rows.map((row) => row.name)).toEqual(["user_emails.canonical", "users.search_name"]);
  });
});
