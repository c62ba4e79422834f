import { openWritable } from "./postgres-hosts.ts";
import type { PostgresPool } from "./postgres-pool.ts";

/**
 * Opens the pool of the configured driver. Loads only that driver, and none for SQLite: each takes time and memory at the start.
 */
export async function openPool(
  driver: "bun" | "pg",
  options: { url: string; maxConnections: number },
): Promise<PostgresPool> {
  const open =
    driver === "bun"
      ? (await import("./postgres-bun-pool.ts")).openBunPool
      : (await import("./postgres-pg-pool.ts")).openPgPool;
  return openWritable(open, options);
}
