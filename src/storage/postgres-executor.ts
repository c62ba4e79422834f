import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from "kysely";
import type { StatementCompiler } from "./compile.ts";
import { isPostgresUnavailable, storageUnavailable } from "./errors.ts";
import type { PostgresResult } from "./postgres-pool.ts";
import type { Database } from "./schema.ts";
import type { Executor, Params, Prepared } from "./storage.ts";

export type RunQuery = (sql: string, params: readonly unknown[]) => Promise<PostgresResult>;
/** Takes a statement without waiting for its answer. */
export type SendQuery = (sql: string, params: readonly unknown[]) => void;
/** The two ways in which a write takes statements whose rows nobody reads. */
export interface Sending {
  now: SendQuery;
  atEnd: SendQuery;
}

/** Runs statements on a pool or in a transaction. Prepared statements bypass Kysely. */
export class PostgresExecutor implements Executor {
  readonly #run: RunQuery;
  readonly #compiler: StatementCompiler;
  readonly #send: Sending | undefined;
  #kysely: Kysely<Database> | undefined;

  /** @param send only in a write, whose end waits for the answers */
  constructor(run: RunQuery, compiler: StatementCompiler, send?: Sending) {
    this.#run = run;
    this.#compiler = compiler;
    this.#send = send;
  }

  get kysely(): Kysely<Database> {
    this.#kysely ??= new Kysely<Database>({ dialect: postgresDialect(new KyselyConnection(this.#run)) });
    return this.#kysely;
  }

  async all<P extends Params, R>(statement: Prepared<P, R>, params: P): Promise<R[]> {
    const compiled = this.#compiler.compile(statement);
    return (await this.#run(compiled.sql, compiled.bind(params))).rows as R[];
  }

  async first<P extends Params, R>(statement: Prepared<P, R>, params: P): Promise<R | undefined> {
    return (await this.all(statement, params))[0];
  }

  later<P extends Params, R>(statement: Prepared<P, R>, params: P): void {
    const compiled = this.#compiler.compile(statement);
    this.#sending().now(compiled.sql, compiled.bind(params));
  }

  atEnd<P extends Params, R>(statement: Prepared<P, R>, params: P): void {
    const compiled = this.#compiler.compile(statement);
    this.#sending().atEnd(compiled.sql, compiled.bind(params));
  }

  #sending(): Sending {
    if (!this.#send) throw new Error("only a write has an end that waits for the statement");
    return this.#send;
  }
}

/** Turns connection faults into `storage_unavailable`. Every other error passes unchanged. */
export function translateUnavailable(error: unknown): unknown {
  return isPostgresUnavailable(error) ? storageUnavailable(error) : error;
}

const WRITES = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);

class KyselyConnection implements DatabaseConnection {
  constructor(readonly run: RunQuery) {}

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, command, count } = await this.run(query.sql, query.parameters);
    if (!WRITES.has(command)) return { rows: rows as R[] };
    return { rows: rows as R[], numAffectedRows: BigInt(count) };
  }

  // biome-ignore lint/correctness/useYield: Kysely requires the method, and this driver reads all rows at once.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("rows are not streamed: use a cursor column and a limit");
  }
}

function noTransaction(): Promise<never> {
  return Promise.reject(new Error("transactions begin with storage.write, never with Kysely"));
}

/**
 * Returns Kysely's dialect over our pool, so that both drivers return the same types. It only compiles without a connection.
 */
export function postgresDialect(connection?: DatabaseConnection): Dialect {
  const driver: Driver = {
    init: async () => undefined,
    acquireConnection: async () => connection ?? noTransaction(),
    beginTransaction: noTransaction,
    commitTransaction: noTransaction,
    rollbackTransaction: noTransaction,
    releaseConnection: async () => undefined,
    destroy: async () => undefined,
  };
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}
