import { SECOND } from "./clock.ts";
import type { Log } from "./log.ts";

/** Milliseconds between two lines about the same fault. */
const INTERVAL = 10 * SECOND;

/**
 * Logs the first of many equal faults, and then their number every ten seconds. A line for each would fill what a full disk
 * has left.
 */
export class ThrottledLog {
  /** The faults of the current interval that were not logged. */
  readonly #more = new Map<string, number>();

  constructor(
    private readonly log: Log,
    private readonly interval: number = INTERVAL,
  ) {}

  /** @param key names the fault; it comes from a short list, never from a request */
  error(key: string, fields: object, message: string): void {
    const more = this.#more.get(key);
    if (more !== undefined) {
      this.#more.set(key, more + 1);
      return;
    }
    this.log.error(fields, message);
    this.#wait(key, message);
  }

  #wait(key: string, message: string): void {
    this.#more.set(key, 0);
    const timer = setTimeout(() => {
      const more = this.#more.get(key) ?? 0;
      this.#more.delete(key);
      if (more === 0) return;
      this.log.error({ fault: key, times: more }, message);
      this.#wait(key, message);
    }, this.interval);
    timer.unref();
  }
}
