import { describe, test } from "bun:test";
import { type StartOptions, startApp, type TestApp } from "./app.ts";
import type { DatabaseKind } from "./database.ts";
import { hasPostgres } from "./postgres.ts";

type Options = Omit<StartOptions, "database" | "beside">;

/** Milliseconds until a test counts as hanging: a machine that is busy is no failure, and one that ran over would break those after it. */
const PATIENCE = 60_000;

export interface Scenarios {
  database: DatabaseKind;
  /** One test with an application of its own, on a database that nothing else has touched. */
  test(name: string, run: (app: TestApp) => Promise<void>, options?: Options): void;
}

/** Declares the same scenarios for SQLite and for PostgreSQL. Without a PostgreSQL they are shown as skipped. */
export function scenarios(name: string, declare: (t: Scenarios) => void): void {
  for (const database of ["sqlite", "postgres"] as const) {
    describe.skipIf(database === "postgres" && !hasPostgres)(`${name} (${database})`, () => {
      declare({
        database,
        test: (title, run, options = {}) => {
          const body = async () => {
            const app = await startApp({ ...options, database });
            try {
              await run(app);
            } catch (error) {
              await app.close().catch(() => undefined);
              throw error;
            }
            await app.close();
          };
          test(title, body, PATIENCE);
        },
      });
    });
  }
}
