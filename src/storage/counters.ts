import { sql } from "kysely";
import { type Executor, type Param, prepared } from "./storage.ts";

const next = prepared((db, p: Param<{ name: string }>) =>
  db
    .insertInto("counters")
    .values({ name: p("name"), value: 1 })
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: sql<number>`counters.value + 1` }))
    .returning("value"),
);

/**
 * Returns the next number of a counter, from 1. The numbers have no gaps and follow the order of the commits: the counter's
 * row stays locked until the transaction ends, so a reader that has seen n has seen everything before n.
 */
export async function nextValue(tx: Executor, name: string): Promise<number> {
  const row = await tx.first(next, { name });
  if (!row) throw new Error(`the counter ${name} gave no value`);
  return row.value;
}

/** Writes a row, which shows whether the storage can. */
export async function writeProbe(tx: Executor): Promise<void> {
  await nextValue(tx, "probe");
}

const last = prepared((db, p: Param<{ name: string }>) =>
  db.selectFrom("counters").select("value").where("name", "=", p("name")),
);

/** Returns the last number that a counter gave; 0 before the first one. */
export async function lastValue(at: Executor, name: string): Promise<number> {
  return (await at.first(last, { name }))?.value ?? 0;
}
