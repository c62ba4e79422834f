import { openBunPool, type PostgresPool, type PostgresPoolOptions } from "./postgres-pool.ts";

/**
 * Opens the pool of the configured driver. Loads `pg` only when it is configured, because hardly any installation uses it.
 */
export async function openPool(driver: "bun" | "pg", options: PostgresPoolOptions): Promise<PostgresPool> {
  if (driver === "bun") return openBunPool(options);
  const { openPgPool } = await import("./postgres-pg-pool.ts");
  return openPgPool(options);
}
