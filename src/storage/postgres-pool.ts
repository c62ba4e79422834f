import { SQL } from "bun";

/** What one statement gave: integers as numbers, bytes as Uint8Array, on both drivers. */
export interface PostgresResult {
  readonly rows: Record<string, unknown>[];
  /** The command tag: `INSERT`, `COMMIT`, `ROLLBACK`, … */
  readonly command: string;
  /** Rows touched or answered. */
  readonly count: number;
}

/** A connection that one transaction has for itself. */
export interface PostgresSession {
  query(sql: string, params: readonly unknown[]): Promise<PostgresResult>;
  /** @param broken the connection's state is unknown: it is ended instead of going back */
  release(broken: boolean): void;
}

/** The little that the two drivers must offer. */
export interface PostgresPool {
  query(sql: string, params: readonly unknown[]): Promise<PostgresResult>;
  reserve(): Promise<PostgresSession>;
  close(): Promise<void>;
}

export interface PostgresPoolOptions {
  url: string;
  maxConnections: number;
}

/** Seconds to wait for a connection to be made. */
export const CONNECT_TIMEOUT = 5;
/** A write whose process hangs must not hold its locks for ever (ms). */
export const IDLE_IN_TRANSACTION = 30_000;

/** Bun's own driver. */
export function openBunPool({ url, maxConnections }: PostgresPoolOptions): PostgresPool {
  const pool = new SQL({
    url,
    max: maxConnections,
    connectionTimeout: CONNECT_TIMEOUT,
    // Every int8 as a bigint, whatever its value: that is what tells it from text, and `portable` makes it a number.
    bigint: true,
    connection: { idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION },
  });
  const run = async (on: Pick<SQL, "unsafe">, sql: string, params: readonly unknown[]): Promise<PostgresResult> => {
    const result = await on.unsafe(sql, [...params]);
    const rows = Array.from(result as Iterable<Record<string, unknown>>);
    for (const row of rows) portable(row);
    return { rows, command: String(result.command), count: Number(result.count) };
  };
  return {
    query: (sql, params) => run(pool, sql, params),
    reserve: async () => {
      const session = await pool.reserve();
      return {
        query: (sql, params) => run(session, sql, params),
        // A connection that broke leaves Bun's pool by itself; one in an unknown state is emptied by a rollback before.
        release: () => session.release(),
      };
    },
    close: () => pool.end({ timeout: 0 }),
  };
}

/** Integers as numbers, bytes as plain Uint8Array. */
export function portable(row: Record<string, unknown>): void {
  for (const name in row) {
    const value = row[name];
    if (typeof value === "bigint") row[name] = Number(value);
    else if (value instanceof Uint8Array && value.constructor !== Uint8Array) row[name] = new Uint8Array(value);
  }
}
