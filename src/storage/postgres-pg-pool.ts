import pg from "pg";
import {
  CONNECT_TIMEOUT,
  IDLE_IN_TRANSACTION,
  type PostgresPool,
  type PostgresPoolOptions,
  type PostgresResult,
  portable,
  STATEMENT_TIMEOUT,
} from "./postgres-pool.ts";

/** Opens a pool of the `pg` package, the alternative to Bun's younger driver. */
export function openPgPool({ url, maxConnections }: PostgresPoolOptions): PostgresPool {
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: CONNECT_TIMEOUT * 1_000,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION,
    statement_timeout: STATEMENT_TIMEOUT,
    types: { getTypeParser },
  });
  // The pool replaces an idle connection that the server ended. Without a listener this event would end the process.
  pool.on("error", () => undefined);
  return {
    query: (sql, params) => pool.query(sql, [...params]).then(fromPg),
    reserve: async () => {
      const client = await pool.connect();
      const unheard = () => undefined;
      client.on("error", unheard);
      // This driver sends one statement at a time, and warns of a second one.
      let last: Promise<unknown> = Promise.resolve();
      return {
        query: (sql, params) => {
          const next = () => client.query(sql, [...params]).then(fromPg);
          const running = last.then(next, next);
          last = running;
          return running;
        },
        release: (broken) => {
          client.off("error", unheard);
          client.release(broken);
        },
      };
    },
    close: () => pool.end(),
  };
}

const INT8 = 20;

function getTypeParser(oid: number, format?: "text" | "binary"): (value: string) => unknown {
  if (oid === INT8 && format !== "binary") return Number;
  return pg.types.getTypeParser(oid, format === "binary" ? "text" : format);
}

function fromPg(result: pg.QueryResult<Record<string, unknown>>): PostgresResult {
  const rows = result.rows ?? [];
  for (const row of rows) portable(row);
  return { rows, command: result.command, count: result.rowCount ?? 0 };
}
