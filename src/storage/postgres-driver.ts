import type { PostgresPool, PostgresPoolOptions } from "./postgres-pool.ts";

/**
 * Opens the pool of the configured driver. Loads only that driver, and none for SQLite: each takes time and memory at the start.
 */
export async function openPool(driver: "bun" | "pg", options: PostgresPoolOptions): Promise<PostgresPool> {
  if (driver === "bun") {
    const { openBunPool } = await import("./postgres-bun-pool.ts");
    return openBunPool(options);
  }
  const { openPgPool } = await import("./postgres-pg-pool.ts");
  return openPgPool(options);
}
