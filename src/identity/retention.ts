import { MINUTE } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import type { Batch } from "../storage/some-rows.ts";
import type { Executor, Storage } from "../storage/storage.ts";

/** Rows in one write. A write of this size keeps requests waiting for about 30 ms. */
const ROWS = 1_000;
/** Milliseconds after which a run leaves the rest to the next one. */
const BUDGET = 10 * MINUTE;
/** Milliseconds of the shortest pause between two writes. */
const PAUSE = 5;

/** Deletes or changes at most `limit` rows. */
export type RetentionStep = (tx: Executor, limit: number) => Promise<Batch>;

/** The steps of a run by the names of their tables. A table may have several steps, which then run in their order. */
export type RetentionSteps = readonly (readonly [table: string, step: RetentionStep])[];

/**
 * Deletes rows in small writes with pauses, because one large write would stop every other request: SQLite deletes in the
 * thread that answers requests, and a large transaction holds its locks.
 */
export class Retention {
  /** Numbers for /metrics. */
  readonly stats = { rows: 0, seconds: 0 };

  constructor(
    private readonly storage: Storage,
    private readonly log: Log | null,
  ) {}

  /** Gives each step a batch in turn until no row is due, so that a large table does not hold up the others. */
  async run(job: string, steps: RetentionSteps, stopping?: AbortSignal): Promise<void> {
    const start = performance.now();
    const rows: Record<string, number> = {};
    let due = steps;
    try {
      while (due.length > 0) {
        const left: (typeof steps)[number][] = [];
        for (const named of due) {
          if (stopping?.aborted || performance.now() - start > BUDGET) return;
          const [table, step] = named;
          const began = performance.now();
          const batch = await this.storage.write((tx) => step(tx, ROWS));
          if (batch.rows > 0) rows[table] = (rows[table] ?? 0) + batch.rows;
          if (batch.more) left.push(named);
          // At most half of the time goes to retention, however slow the disk is.
          await Bun.sleep(Math.max(PAUSE, performance.now() - began));
        }
        due = left;
      }
    } finally {
      this.#report(job, rows, performance.now() - start, due.length === 0);
    }
  }

  #report(job: string, rows: Record<string, number>, duration: number, complete: boolean): void {
    const sum = Object.values(rows).reduce((total, count) => total + count, 0);
    this.stats.rows += sum;
    this.stats.seconds += duration / 1_000;
    if (sum === 0 && complete) return;
    const fields = { job, rows, duration_ms: Math.round(duration), complete };
    this.log?.info(fields, complete ? "Retention is done." : "Retention stopped early. The next run deletes the rest.");
  }
}
