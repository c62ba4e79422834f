import type { Database as SqliteDatabase } from "bun:sqlite";
import { closeSync, fsyncSync, openSync } from "node:fs";
import type { Clock } from "../core/clock.ts";
import { sqliteColumns } from "./columns.ts";
import { StatementCompiler } from "./compile.ts";
import { writeProbe } from "./counters.ts";
import { sqliteCode, storageUnavailable } from "./errors.ts";
import { type AppliedRow, type BeforeUpgrade, type MigrationTarget, migrate, type RunStatement } from "./migrator.ts";
import { SqliteConnection, SqliteExecutor, sqliteDialect } from "./sqlite-executor.ts";
import {
  ensurePrivateFile,
  openReader,
  openUnnamedPair,
  openWriter,
  quickCheck,
  syncDirectoryOf,
} from "./sqlite-file.ts";
import { copyInto, SqliteMaintenance } from "./sqlite-maintenance.ts";
import type { Executor, Storage, StorageStats } from "./storage.ts";
import { NOT_DURABLE, WalSync } from "./wal-sync.ts";
import { WriteScheduler } from "./write-scheduler.ts";

/** Bytes of a database that is checked within a few milliseconds. */
const SMALL = 4 * 1024 * 1024;

/** Opens a database file that survives power cuts. @throws Error that says what is wrong with the file */
export async function openSqliteFile(file: string, clock: Clock, beforeUpgrade?: BeforeUpgrade): Promise<Storage> {
  ensurePrivateFile(file);
  const writer = openWriter(file);
  try {
    await migrate(sqliteMigrationTarget(writer), clock, undefined, beforeUpgrade);
    const reader = openReader(file);
    const wal = openSync(`${file}-wal`, "r");
    // The WAL may hold commits that a killed process did not flush. Flush them before anyone reads them.
    fsyncSync(wal);
    syncDirectoryOf(file);
    return new SqliteStorage(writer, reader, { file, wal });
  } catch (error) {
    writer.close();
    throw error;
  }
}

/** Opens a database that ends with the process. */
export async function openSqliteMemory(clock: Clock): Promise<Storage> {
  const { writer, reader } = openUnnamedPair((file) => {
    const pair = { writer: openWriter(file), reader: openReader(file) };
    pair.writer.run("PRAGMA synchronous = OFF");
    return pair;
  });
  await migrate(sqliteMigrationTarget(writer), clock);
  return new SqliteStorage(writer, reader, undefined);
}

/** Returns the migrator's view of a SQLite connection. */
export function sqliteMigrationTarget(database: SqliteDatabase): MigrationTarget {
  const run: RunStatement = async (sql, params = []) =>
    database.query<AppliedRow, (string | number)[]>(sql).all(...params);
  return {
    columns: sqliteColumns,
    placeholder: () => "?",
    exclusive: async (work) => {
      database.run("BEGIN IMMEDIATE");
      try {
        const result = await work(run);
        database.run("COMMIT");
        return result;
      } catch (error) {
        if (database.inTransaction) database.run("ROLLBACK");
        throw error;
      }
    },
  };
}

class SqliteStorage implements Storage {
  readonly dialect = "sqlite";
  readonly read: Executor;
  readonly #writer: SqliteConnection;
  readonly #reader: SqliteConnection;
  readonly #scheduler: WriteScheduler;
  readonly #maintenance: SqliteMaintenance | undefined;
  readonly #wal: number | undefined;
  readonly #failureListeners: ((cause: unknown) => void)[] = [];
  #damage: unknown;
  #closed: Promise<void> | undefined;

  constructor(writer: SqliteDatabase, reader: SqliteDatabase, place: { file: string; wal: number } | undefined) {
    const compiler = new StatementCompiler(sqliteDialect());
    this.#writer = new SqliteConnection(writer, compiler);
    this.#reader = new SqliteConnection(reader, compiler);
    this.#wal = place?.wal;
    this.read = new SqliteExecutor(this.#reader);
    const durability = place ? new WalSync(place.wal) : NOT_DURABLE;
    this.#scheduler = new WriteScheduler(this.#writer, durability, () => this.#maintenance?.committed());
    if (place) {
      this.#maintenance = new SqliteMaintenance(place.file, place.wal, writer, this.#scheduler);
      // From here on WalSync flushes, and the scheduler waits for another process's lock without stopping the event loop.
      writer.run("PRAGMA synchronous = NORMAL");
      writer.run("PRAGMA wal_autocheckpoint = 0");
    }
    writer.run("PRAGMA busy_timeout = 0");
    this.#scheduler.onFailure((cause) => {
      this.#retireWriter();
      for (const listener of this.#failureListeners) listener(cause);
    });
  }

  write<T>(work: (tx: Executor) => Promise<T>): Promise<T> {
    return this.#scheduler.write(work);
  }

  async backup(file: string): Promise<void> {
    if (this.#maintenance) return this.#maintenance.backup(file);
    await copyInto(file, async (target) => void this.#reader.database.query("VACUUM INTO ?").run(target));
  }

  async check(): Promise<void> {
    try {
      // To start the thread takes longer than to check a small file, and every start would wait for it.
      if (this.#size <= SMALL) quickCheck(this.#reader.database);
      else await this.#maintenance?.check();
    } catch (error) {
      if (sqliteCode(error)?.startsWith("SQLITE_CORRUPT")) this.#damage = error;
      throw error;
    }
  }

  /** Bytes of the database, without its WAL. */
  get #size(): number {
    const pragma = (name: string) =>
      Number(Object.values(this.#reader.database.query<Record<string, number>, []>(`PRAGMA ${name}`).get() ?? {})[0]);
    return pragma("page_count") * pragma("page_size");
  }

  async probe(): Promise<void> {
    if (this.#damage !== undefined) throw storageUnavailable(this.#damage);
    this.#reader.database.query("SELECT count(*) FROM schema_migrations").get();
    await this.write(writeProbe);
  }

  onFailure(listener: (cause: unknown) => void): void {
    this.#failureListeners.push(listener);
  }

  stats(): StorageStats {
    return { ...this.#scheduler.stats(), isDamaged: this.#damage !== undefined };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#scheduler.close();
    await this.#maintenance?.close();
    this.#reader.close();
    // Closing the last connection copies the WAL into the database, flushes the database and removes the WAL.
    this.#writer.close();
    if (this.#wal !== undefined) closeSync(this.#wal);
  }

  /**
   * Stops all checkpoints, because they would spread pages that may never have been written. The reader keeps the files
   * open.
   */
  #retireWriter(): void {
    this.#maintenance?.abort();
    this.#writer.close();
  }
}
