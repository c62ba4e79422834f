import { Database as SqliteDatabase } from "bun:sqlite";
import { openStorage } from "../../src/storage/open.ts";
import { postgresPrograms, startPrivatePostgres } from "../../test/support/postgres.ts";
import type { Seed } from "./seed.ts";

/** Two databases with the rows of the seed: ours, and the floor's own copy. */
export interface PostgresSeed {
  ours: string;
  floor: string;
  stop(): Promise<void>;
}

export const hasPostgres = postgresPrograms !== null;

/** Parents before children, as the foreign keys demand. */
const TABLES = ["instance_settings", "data_keys", "tenants", "applications", "users", "user_emails"].concat([
  "password_credentials",
  "signing_keys",
  "sessions",
  "api_keys",
]);
/** Rows of one INSERT. */
const BATCH = 500;

/** Starts a server that flushes each commit, and fills it with the rows that the requests of its rows read. */
export async function seedPostgres(seed: Seed): Promise<PostgresSeed> {
  const server = await startPrivatePostgres({ fsync: true });
  const ours = await server.createDatabase();
  const storage = await openStorage({ kind: "postgres", url: ours, driver: "bun", maxConnections: 1 });
  const source = new SqliteDatabase(seed.floorDatabase, { readonly: true });
  for (const table of TABLES) {
    const rows = source.query<Record<string, never>, []>(`SELECT * FROM ${table}`).all();
    for (let start = 0; start < rows.length; start += BATCH) {
      const batch = rows.slice(start, start + BATCH);
      await storage.write((tx) =>
        tx.kysely
          .insertInto(table as "sessions")
          .values(batch as never)
          .execute(),
      );
    }
  }
  source.close();
  await storage.close();
  const floor = await server.createDatabase(new URL(ours).pathname.slice(1));
  return { ours, floor, stop: () => server.stop() };
}
