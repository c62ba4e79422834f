import { type Param, prepared, type Storage } from "../../src/storage/storage.ts";

/** Statements that several storage tests share. */
export const insertSetting = prepared((db, p: Param<{ name: string; value: string }>) =>
  db.insertInto("instance_settings").values({ name: p("name"), value: p("value") }),
);

export const readSetting = prepared((db, p: Param<{ name: string }>) =>
  db.selectFrom("instance_settings").select("value").where("name", "=", p("name")),
);

export async function settingNames(storage: Storage): Promise<string[]> {
  const rows = await storage.read.kysely.selectFrom("instance_settings").select("name").orderBy("name").execute();
  return rows.map((row) => row.name);
}

/** Returns the error that a promise rejects with. @throws Error when it resolves */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
}
