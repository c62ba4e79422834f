import { describe, test } from "bun:test";
import { hasPostgres, testsPostgres } from "./postgres.ts";

/** A group of tests of PostgreSQL: left out when this run does not test it, and skipped where there is none. */
export function postgresGroup(name: string, declare: () => void): void {
  if (testsPostgres) describe.skipIf(!hasPostgres)(name, declare);
}

/** Such a group for each driver. */
export function eachPostgresDriver(declare: (driver: "bun" | "pg") => void): void {
  for (const driver of ["bun", "pg"] as const) postgresGroup(`postgres (${driver})`, () => declare(driver));
}

/** A test of PostgreSQL: left out when this run does not test it, and skipped where there is none. */
export function postgresTest(name: string, run: () => Promise<void>, timeout?: number): void {
  if (!testsPostgres) return;
  if (hasPostgres) test(name, run, timeout);
  else test.skip(`${name} [skipped: needs PostgreSQL]`, run);
}
