import { describe, test } from "bun:test";
import { hasPostgres, testsPostgres } from "./postgres.ts";

/**
 * Declares a group of tests of PostgreSQL. They are left out of a run without PostgreSQL tests, and skipped if it is
 * not installed.
 */
export function postgresGroup(name: string, declare: () => void): void {
  if (testsPostgres) describe.skipIf(!hasPostgres)(name, declare);
}

/** Declares such a group for each driver. */
export function eachPostgresDriver(declare: (driver: "bun" | "pg") => void): void {
  for (const driver of ["bun", "pg"] as const) postgresGroup(`postgres (${driver})`, () => declare(driver));
}

/** Declares a test of PostgreSQL, which is left out or skipped like {@link postgresGroup}. */
export function postgresTest(name: string, run: () => Promise<void>, timeout?: number): void {
  if (!testsPostgres) return;
  if (hasPostgres) test(name, run, timeout);
  else test.skip(`${name} [skipped: needs PostgreSQL]`, run);
}
