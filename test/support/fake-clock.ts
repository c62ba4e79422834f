import type { Clock } from "../../src/core/clock.ts";

/** Where every test begins: not on a whole second, so that rounding the wrong way shows. */
const START = Date.UTC(2026, 2, 1, 12, 0, 0, 250);

/** A clock that stands still until it is told to move. */
export class FakeClock implements Clock {
  #now = START;

  now(): number {
    return this.#now;
  }

  set(ms: number): void {
    this.#now = ms;
  }

  advance(ms: number): void {
    this.#now += ms;
  }

  /** For libraries that take a Date. */
  date(): Date {
    return new Date(this.#now);
  }
}
