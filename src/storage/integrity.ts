import { DAY, HOUR, SECOND } from "../core/clock.ts";
import type { Job } from "../core/feature.ts";
import type { Log } from "../core/log.ts";
import { sqliteCode } from "./errors.ts";
import type { Storage } from "./storage.ts";

/** Milliseconds that a start waits for the first check. A large file takes longer, and the check then goes on. */
const PATIENCE = 2 * SECOND;

/** Looks for damage in the database at the start and once a day. A damaged database is never ready again. */
export class Integrity {
  #running: Promise<void> | undefined;
  /** `performance.now()` of the last check's end. */
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly storage: Storage,
    private readonly log: Log,
  ) {}

  readonly job: Job = {
    name: "integrity",
    every: DAY,
    // Every job also runs within a minute of the start, which has made a check of its own.
    run: async () => (performance.now() - this.#checkedAt < HOUR ? undefined : this.#check()),
  };

  /** Checks at the start, and resolves after two seconds at the latest. */
  async start(): Promise<void> {
    await Promise.race([this.#check(), Bun.sleep(PATIENCE)]);
  }

  #check(): Promise<void> {
    this.#running ??= this.#look().finally(() => {
      this.#running = undefined;
      this.#checkedAt = performance.now();
    });
    return this.#running;
  }

  async #look(): Promise<void> {
    if (this.storage.stats().isDamaged) return;
    try {
      await this.storage.check();
    } catch (error) {
      if (sqliteCode(error)?.startsWith("SQLITE_CORRUPT")) {
        this.log.fatal({ err: error }, "The database is damaged: stop, and restore a backup into an empty directory.");
      } else if (sqliteCode(error) !== undefined) {
        this.log.error({ err: error }, "The database could not be checked for damage. The next check is tomorrow.");
      }
    }
  }
}
