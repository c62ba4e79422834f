import { type Clock, systemClock } from "../core/clock.ts";
import type { BeforeUpgrade } from "./migrator.ts";
import { openPostgresStorage } from "./postgres.ts";
import { openPool } from "./postgres-driver.ts";
import { openSqliteFile, openSqliteMemory } from "./sqlite.ts";
import type { Storage } from "./storage.ts";

export type StorageOptions = { clock?: Clock; beforeUpgrade?: BeforeUpgrade } & (
  | { kind: "sqlite"; file: string }
  /** SQLite that ends with the process, for tests and trials. */
  | { kind: "memory" }
  | { kind: "postgres"; url: string; driver: "bun" | "pg"; maxConnections?: number }
);

const MAX_CONNECTIONS = 10;

/** Opens the storage and upgrades its schema. @throws Error that says what is wrong and what to do */
export function openStorage(options: StorageOptions): Promise<Storage> {
  const { clock = systemClock, beforeUpgrade } = options;
  switch (options.kind) {
    case "sqlite":
      return openSqliteFile(options.file, clock, beforeUpgrade);
    case "memory":
      return openSqliteMemory(clock);
    case "postgres": {
      const maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
      const opening = openPool(options.driver, { url: options.url, maxConnections });
      return opening.then((pool) => openPostgresStorage(pool, clock, beforeUpgrade));
    }
  }
}
