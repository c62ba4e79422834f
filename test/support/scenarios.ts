import { describe, test } from "bun:test";
import { type StartOptions, startApp, type TestApp } from "./app.ts";
import type { DatabaseKind } from "./database.ts";
import { postgresGroup } from "./databases.ts";

type Options = Omit<StartOptions, "database" | "beside">;

/** Milliseconds until a test counts as hanging: a machine that is busy is no failure, and one that ran over would break those after it. */
const PATIENCE = 60_000;

export interface Scenarios {
  database: DatabaseKind;
  /** One test with an application of its own, on a database that nothing else has touched. */
  test(name: string, run: (app: TestApp) => Promise<void>, options?: Options): void;
}

type Declare = (t: Scenarios) => void;

/** Declares the same scenarios for SQLite and for PostgreSQL, as far as this run tests them (see databases.ts). */
export function scenarios(name: string, declare: Declare): void {
  sqliteScenarios(name, declare);
  postgresScenarios(name, declare);
}

/** Declares scenarios of transactions that stand beside one another: SQLite has one writer. */
export function postgresScenarios(name: string, declare: Declare): void {
  postgresGroup(`${name} (postgres)`, () => declare(on("postgres")));
}

/**
 * Declares scenarios that hold no SQL of their own: they are about parsing, headers, documents or processes, and every
 * statement that they cause is one that other scenarios run on both databases.
 */
export function sqliteScenarios(name: string, declare: Declare): void {
  describe(`${name} (sqlite)`, () => declare(on("sqlite")));
}

function on(database: DatabaseKind): Scenarios {
  return {
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
  };
}
