/** The result of one statement. On both drivers integers are numbers, and bytes are a Uint8Array. */
export interface PostgresResult {
  readonly rows: Record<string, unknown>[];
  /** The command tag: `INSERT`, `COMMIT`, `ROLLBACK`, … */
  readonly command: string;
  /** Rows changed or returned. */
  readonly count: number;
}

/** A connection that one transaction has to itself. A statement may be sent before the last one is answered. */
export interface PostgresSession {
  query(sql: string, params: readonly unknown[]): Promise<PostgresResult>;
  /** @param broken the connection's state is unknown, so the pool ends it instead of reusing it */
  release(broken: boolean): void;
}

/** The few operations that both drivers must offer. */
export interface PostgresPool {
  query(sql: string, params: readonly unknown[]): Promise<PostgresResult>;
  reserve(): Promise<PostgresSession>;
  close(): Promise<void>;
}

export interface PostgresPoolOptions {
  url: string;
  maxConnections: number;
  /**
   * Whether a pooler gives each transaction another connection, as pgbouncer does. Then no prepared statement and no setting of
   * a session may outlive its transaction.
   */
  isPooled?: boolean;
}

export const BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED";

/** Seconds until an attempt to connect fails. */
export const CONNECT_TIMEOUT = 5;
/** Milliseconds until PostgreSQL ends an idle transaction. A write whose process hangs must not hold its locks for ever. */
export const IDLE_IN_TRANSACTION = 30_000;

/** Milliseconds until PostgreSQL cancels a statement, whose caller has given up by then. Migrations lift this limit. */
export const STATEMENT_TIMEOUT = 5_000;

/** Begins a transaction with the limits that a session without a pooler has from its start. */
export function pooledStatement(sql: string): string {
  if (!sql.startsWith("BEGIN")) return sql;
  const limits = { statement_timeout: STATEMENT_TIMEOUT, idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION };
  return [sql, ...Object.entries(limits).map(([name, value]) => `SET LOCAL ${name} = ${value}`)].join("; ");
}

/** Turns integers into numbers and bytes into a plain Uint8Array. */
export function portable(row: Record<string, unknown>): void {
  for (const name in row) {
    const value = row[name];
    if (typeof value === "bigint") row[name] = Number(value);
    else if (value instanceof Uint8Array && value.constructor !== Uint8Array) row[name] = new Uint8Array(value);
  }
}
