/** Time is integer milliseconds since the Unix epoch, and comes from here alone: tests inject their own clock. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** RFC 3339 UTC, as every time on the wire is written. */
export function toWireTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Whole Unix seconds, as JWT claims carry them (RFC 7519 section 2, NumericDate). */
export function toSeconds(ms: number): number {
  return Math.floor(ms / SECOND);
}

export function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : toWireTime(ms);
}
