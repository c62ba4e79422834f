import { isPostgresTimeout, isPostgresUnavailable, reasonOf, sqlState } from "./errors.ts";
import {
  type PostgresPool,
  type PostgresPoolOptions,
  type PostgresSession,
  STATEMENT_TIMEOUT,
} from "./postgres-pool.ts";
import { hostsOf, type PostgresHost } from "./postgres-url.ts";

/** Opens a pool of one host with the configured driver. */
export type OpenHost = (options: PostgresPoolOptions) => PostgresPool;

/** Every listed server is out of reach or takes no writes. */
class NoPrimary extends Error {
  readonly code = "ECONNPRIMARY";
}

/**
 * Opens a pool of the first listed host that takes writes. After a failover it looks for the new primary, also behind a single
 * name, because the old one may live on as a standby and keep its connections.
 */
export async function openWritable(
  open: OpenHost,
  options: { url: string; maxConnections: number },
): Promise<PostgresPool> {
  const hosts = hostsOf(options.url);
  const choose = () => firstWritable(open, hosts, options.maxConnections);
  return new WritablePool(await choose(), choose);
}

async function firstWritable(
  open: OpenHost,
  hosts: readonly PostgresHost[],
  maxConnections: number,
): Promise<PostgresPool> {
  const faults: string[] = [];
  for (const { name, url } of hosts) {
    try {
      const pool = await openChecked(open, { url, maxConnections });
      if (pool !== null) return pool;
      faults.push(`${name} is a standby, which takes no writes`);
    } catch (error) {
      // A wrong password or a missing database is the same on every host of a cluster.
      if (hosts.length === 1 || !isPostgresUnavailable(error)) throw error;
      faults.push(`${name}: ${reasonOf(error)}`);
    }
  }
  const advice = hosts.length === 1 ? ". Name the primary, or all hosts with commas between them" : "";
  throw new NoPrimary(`${faults.join("; ")}${advice}`);
}

interface Facts {
  is_read_only: boolean;
  statement_timeout: string;
}

const FACTS =
  "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS is_read_only, " +
  "current_setting('statement_timeout') AS statement_timeout";

/**
 * Opens a pool, and opens it again without the state of a session behind a pooler such as pgbouncer. A pooler refuses our
 * limits as parameters of the connection, or drops them.
 * @returns null for a server that takes no writes
 */
async function openChecked(
  open: OpenHost,
  options: { url: string; maxConnections: number },
): Promise<PostgresPool | null> {
  for (const isPooled of [false, true]) {
    const pool = open({ ...options, isPooled });
    try {
      const [facts] = (await pool.query(FACTS, [])).rows as unknown as [Facts];
      if (facts.is_read_only) {
        await pool.close();
        return null;
      }
      if (isPooled || facts.statement_timeout === `${STATEMENT_TIMEOUT / 1_000}s`) return pool;
      await pool.close();
    } catch (error) {
      await pool.close();
      if (isPooled || !isRefusedParameter(error)) throw error;
    }
  }
  throw new Error("unreachable");
}

function isRefusedParameter(error: unknown): boolean {
  return sqlState(error) === "08P01" && /unsupported startup parameter/.test(reasonOf(error));
}

/** Passes every call to the chosen pool, and chooses again when that pool may have lost its primary. */
class WritablePool implements PostgresPool {
  #pool: PostgresPool | null;
  #choosing: Promise<PostgresPool> | undefined;
  #isDoubting = false;
  #isClosed = false;

  constructor(
    first: PostgresPool,
    private readonly choose: () => Promise<PostgresPool>,
  ) {
    this.#pool = first;
  }

  query(sql: string, params: readonly unknown[]) {
    const pool = this.#pool;
    return pool === null
      ? this.#next().then((next) => next.query(sql, params))
      : this.#watch(pool, pool.query(sql, params));
  }

  async reserve(): Promise<PostgresSession> {
    const pool = this.#pool ?? (await this.#next());
    const session = await this.#watch(pool, pool.reserve());
    return {
      query: (sql, params) => this.#watch(pool, session.query(sql, params)),
      release: (broken) => session.release(broken),
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#choosing?.catch(() => undefined);
    await this.#pool?.close();
  }

  #watch<T>(pool: PostgresPool, work: Promise<T>): Promise<T> {
    work.catch((error: unknown) => {
      const isLost = isPostgresUnavailable(error) && !isPostgresTimeout(error);
      if (isLost && this.#pool === pool && !this.#isClosed && !this.#isDoubting) void this.#doubt(pool, error);
    });
    return work;
  }

  /** Keeps a pool whose server still takes writes: one lost connection says nothing about the others. */
  async #doubt(pool: PostgresPool, error: unknown): Promise<void> {
    this.#isDoubting = true;
    const stillWrites =
      sqlState(error) !== "25006" &&
      (await pool.query(FACTS, []).then(
        ({ rows }) => !(rows as unknown as [Facts])[0].is_read_only,
        () => false,
      ));
    this.#isDoubting = false;
    if (stillWrites) return;
    if (this.#pool !== pool || this.#isClosed) return;
    this.#pool = null;
    this.#next().catch(() => undefined);
    await pool.close().catch(() => undefined);
  }

  #next(): Promise<PostgresPool> {
    if (this.#pool !== null) return Promise.resolve(this.#pool);
    this.#choosing ??= this.choose()
      .then((pool) => {
        this.#pool = pool;
        return pool;
      })
      .finally(() => {
        this.#choosing = undefined;
      });
    return this.#choosing;
  }
}
