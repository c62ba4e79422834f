import { describe, test } from "bun:test";
import { type StartOptions, startApp, type TestApp } from "./app.ts";
import type { DatabaseKind } from "./database.ts";
import { postgresGroup } from "./databases.ts";

type Options = Omit<StartOptions, "database" | "beside">;

/**
 * Milliseconds until a test counts as hanging. It is long, because a busy machine is not a failure, and a hanging test
 * would break those after it.
 */
const PATIENCE = 60_000;

export interface Scenarios {
  database: DatabaseKind;
  /** Declares a test with its own application on a fresh database. */
  test(name: string, run: (app: TestApp) => Promise<void>, options?: Options): void;
}

type Declare = (t: Scenarios) => void;

/** Declares the same scenarios for SQLite and PostgreSQL, if this run tests both (see databases.ts). */
export function scenarios(name: string, declare: Declare): void {
  sqliteScenarios(name, declare);
  postgresScenarios(name, declare);
}

/** Declares scenarios of concurrent transactions, which only PostgreSQL has: SQLite has one writer. */
export function postgresScenarios(name: string, declare: Declare): void {
  postgresGroup(`${name} (postgres)`, () => declare(on("postgres")));
}

/**
 * Declares scenarios without their own SQL: they test parsing, headers, documents or processes, and other scenarios run
 * all of their statements on both databases.
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
