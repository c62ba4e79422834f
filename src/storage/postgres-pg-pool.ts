import pg from "pg";
import {
  CONNECT_TIMEOUT,
  IDLE_IN_TRANSACTION,
  type PostgresPool,
  type PostgresPoolOptions,
  type PostgresResult,
  pooledStatement,
  portable,
  STATEMENT_TIMEOUT,
} from "./postgres-pool.ts";

/** Opens a pool of the `pg` package, the alternative to Bun's younger driver. */
export function openPgPool({ url, maxConnections, isPooled = false }: PostgresPoolOptions): PostgresPool {
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: CONNECT_TIMEOUT * 1_000,
    ...(isPooled
      ? {}
      : { idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION, statement_timeout: STATEMENT_TIMEOUT }),
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
          const next = () => client.query(isPooled ? pooledStatement(sql) : sql, [...params]).then(fromPg);
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

type Result = pg.QueryResult<Record<string, unknown>>;

/** @param given a list for a text of several statements, of which the first one counts */
function fromPg(given: Result | Result[]): PostgresResult {
  const [result] = Array.isArray(given) ? given : [given];
  if (result === undefined) throw new Error("the driver returned no result");
  const rows = result.rows ?? [];
  for (const row of rows) portable(row);
  return { rows, command: result.command, count: result.rowCount ?? 0 };
}
