import { openBunPool, type PostgresPool, type PostgresPoolOptions } from "./postgres-pool.ts";

/** The pool of the driver that the settings name. `pg` is loaded when it is asked for: hardly anybody does. */
export async function openPool(driver: "bun" | "pg", options: PostgresPoolOptions): Promise<PostgresPool> {
  if (driver === "bun") return openBunPool(options);
  const { openPgPool } = await import("./postgres-pg-pool.ts");
  return openPgPool(options);
}
