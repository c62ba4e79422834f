import { Database } from "bun:sqlite";
import { closeSync, openSync, writeSync } from "node:fs";

/** Overwrites an index that no start reads, in a database that nobody has open. */
export function damage(file: string): void {
  const database = new Database(file);
  const index = "SELECT rootpage FROM sqlite_schema WHERE name = 'users_by_search_name'";
  const page = database.query<{ rootpage: number }, []>(index).get()?.rootpage ?? 0;
  const size = database.query<{ page_size: number }, []>("PRAGMA page_size").get()?.page_size ?? 0;
  database.close();
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, Buffer.alloc(size, 0xa5), 0, size, (page - 1) * size);
  closeSync(descriptor);
}
