/** The only source of time, in integer milliseconds since the Unix epoch. Tests inject their own clock. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Returns the time in RFC 3339 UTC, the form of every time on the wire. */
export function toWireTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Returns whole Unix seconds, the form of times in JWT claims (RFC 7519 section 2, NumericDate). */
export function toSeconds(ms: number): number {
  return Math.floor(ms / SECOND);
}

export function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : toWireTime(ms);
}
