import { SQL } from "bun";
import {
  BEGIN,
  CONNECT_TIMEOUT,
  IDLE_IN_TRANSACTION,
  type PostgresPool,
  type PostgresPoolOptions,
  type PostgresResult,
  pooledStatement,
  portable,
  STATEMENT_TIMEOUT,
} from "./postgres-pool.ts";

/**
 * Statements without parameters, by the driver's own form. Only as prepared statements do they travel together with others:
 * `unsafe` sends a text without parameters by the simple protocol, which waits for every earlier answer.
 */
const CONTROL: Readonly<Record<string, (on: SQL) => SQL.Query<Record<string, unknown>[]>>> = {
  [BEGIN]: (on) => on`BEGIN ISOLATION LEVEL READ COMMITTED`,
  COMMIT: (on) => on`COMMIT`,
  ROLLBACK: (on) => on`ROLLBACK`,
};

/** Opens a pool of Bun's own driver. */
export function openBunPool({ url, maxConnections, isPooled = false }: PostgresPoolOptions): PostgresPool {
  const pool = new SQL({
    url,
    max: maxConnections,
    connectionTimeout: CONNECT_TIMEOUT,
    // Returns every int8 as a bigint, whatever its value. That distinguishes it from text, and `portable` makes it a number.
    bigint: true,
    ...(isPooled
      ? { prepare: false }
      : {
          connection: {
            idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION,
            statement_timeout: STATEMENT_TIMEOUT,
          },
        }),
  });
  const run = async (on: SQL, sql: string, params: readonly unknown[]): Promise<PostgresResult> => {
    const result = await (CONTROL[sql]?.(on) ?? on.unsafe(sql, [...params]));
    const rows = Array.from(result as Iterable<Record<string, unknown>>);
    for (const row of rows) portable(row);
    return { rows, command: String(result.command), count: Number(result.count) };
  };
  return {
    query: (sql, params) => run(pool, sql, params),
    reserve: async () => {
      const session = await pool.reserve();
      return {
        query: (sql, params) => run(session, isPooled ? pooledStatement(sql) : sql, params),
        // A broken connection leaves Bun's pool by itself; a rollback has already cleared one in an unknown state.
        release: () => session.release(),
      };
    },
    close: () => pool.end({ timeout: 0 }),
  };
}
