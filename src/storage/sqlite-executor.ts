import type { Database as SqliteDatabase, Statement } from "bun:sqlite";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import type { CompiledStatement, StatementCompiler } from "./compile.ts";
import type { Database } from "./schema.ts";
import type { Executor, Params, Prepared, Value } from "./storage.ts";

type SqliteStatement = Statement<unknown, Value[]>;

/** Hears of every statement: decides whether it may still run, and learns how it failed. */
export interface StatementGuard {
  /** @throws Error when the statement's transaction is over */
  before(): void;
  failed(error: unknown): void;
}

const NO_GUARD: StatementGuard = { before: () => undefined, failed: () => undefined };

/** One SQLite connection and its prepared statements. All calls are synchronous. */
export class SqliteConnection {
  readonly #prepared = new Map<object, { statement: SqliteStatement; compiled: CompiledStatement }>();

  constructor(
    readonly database: SqliteDatabase,
    readonly compiler: StatementCompiler,
  ) {}

  prepare(statement: Prepared<never, never>): { statement: SqliteStatement; compiled: CompiledStatement } {
    let entry = this.#prepared.get(statement);
    if (!entry) {
      const compiled = this.compiler.compile(statement);
      entry = { compiled, statement: this.database.prepare(compiled.sql) };
      this.#prepared.set(statement, entry);
    }
    return entry;
  }

  /** Closes the connection and its statements. SQLite silently keeps a connection open as long as a statement lives. */
  close(): void {
    for (const { statement } of this.#prepared.values()) statement.finalize();
    this.#prepared.clear();
    this.database.clearQueryCache();
    this.database.close();
  }
}

/** Runs statements on a SQLite connection. Prepared statements run without Kysely and without waiting. */
export class SqliteExecutor implements Executor {
  #kysely: Kysely<Database> | undefined;

  constructor(
    readonly connection: SqliteConnection,
    readonly guard: StatementGuard = NO_GUARD,
  ) {}

  get kysely(): Kysely<Database> {
    this.#kysely ??= new Kysely<Database>({
      dialect: sqliteDialect(new KyselyConnection(this.connection, this.guard)),
    });
    return this.#kysely;
  }

  // Not `async`: the statement runs before the promise exists, so two consecutive calls run in their order.
  all<P extends Params, R>(statement: Prepared<P, R>, params: P): Promise<R[]> {
    try {
      this.guard.before();
      const entry = this.connection.prepare(statement as unknown as Prepared<never, never>);
      return Promise.resolve(entry.statement.all(...entry.compiled.bind(params)) as R[]);
    } catch (error) {
      this.guard.failed(error);
      return Promise.reject(error);
    }
  }

  first<P extends Params, R>(statement: Prepared<P, R>, params: P): Promise<R | undefined> {
    try {
      this.guard.before();
      const entry = this.connection.prepare(statement as unknown as Prepared<never, never>);
      return Promise.resolve((entry.statement.get(...entry.compiled.bind(params)) ?? undefined) as R | undefined);
    } catch (error) {
      this.guard.failed(error);
      return Promise.reject(error);
    }
  }

  later<P extends Params, R>(statement: Prepared<P, R>, params: P): void {
    try {
      this.guard.before();
      const entry = this.connection.prepare(statement as unknown as Prepared<never, never>);
      entry.statement.run(...entry.compiled.bind(params));
    } catch (error) {
      this.guard.failed(error);
      throw error;
    }
  }

  /** SQLite has one writer, so no other write waits for a row. */
  atEnd<P extends Params, R>(statement: Prepared<P, R>, params: P): void {
    this.later(statement, params);
  }
}

class KyselyConnection implements DatabaseConnection {
  constructor(
    readonly connection: SqliteConnection,
    readonly guard: StatementGuard,
  ) {}

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    try {
      this.guard.before();
      const statement = this.connection.database.query<R, Value[]>(query.sql);
      const parameters = query.parameters as Value[];
      if (statement.reader) return { rows: statement.all(...parameters) };
      const { changes, lastInsertRowid } = statement.run(...parameters);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    } catch (error) {
      this.guard.failed(error);
      throw error;
    }
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
 * When the planner has looked at a bare `?`, SQLite prepares the statement again for each binding, and a join takes six
 * times as long. The planner does not look into an expression: `+?` has the same value and the same type.
 */
class StableQueryCompiler extends SqliteQueryCompiler {
  protected override getCurrentParameterPlaceholder(): string {
    return "+?";
  }
}

/** Returns Kysely's dialect for bun:sqlite. It only compiles without a connection. */
export function sqliteDialect(connection?: DatabaseConnection): Dialect {
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
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => driver,
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new StableQueryCompiler(),
  };
}
