import type { Clock } from "../../src/core/clock.ts";

/** The time at which every test begins. It is not a whole second, so that a wrong rounding shows. */
const START = Date.UTC(2026, 2, 1, 12, 0, 0, 250);

/** A clock that moves only when a test moves it. */
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
