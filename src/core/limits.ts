/**
 * The arithmetic of rate limits: GCRA, a leaky bucket stored as one point in time, the "theoretical arrival time" (TAT).
 * Each key has one stored integer. `storage/rate-limits.ts` applies the arithmetic in one conditional statement.
 */
export interface Limit {
  /** Calls that may come at once. */
  burst: number;
  /** Milliseconds until the next call is allowed. */
  interval: number;
}

/** The texts that {@link parseLimit} takes. */
export const LIMIT = /^([1-9]\d{0,8})\/([1-9]\d{0,5})?([smhd])$/;

/**
 * Parses `"10/10m"`: ten at once, refilled evenly over ten minutes. Units: s, m, h, d. @returns null unless it is a limit.
 */
export function parseLimit(text: string): Limit | null {
  const match = LIMIT.exec(text);
  if (!match) return null;
  const unit = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[3] as "s" | "m" | "h" | "d"];
  const burst = Number(match[1]);
  return { burst, interval: Math.max(1, Math.floor((Number(match[2] ?? 1) * unit) / burst)) };
}

/** Returns the milliseconds until a call is admitted, for the stored TAT; 0 when it would be admitted now. */
export function waitFor(limit: Limit, tat: number, now: number): number {
  return Math.max(0, tat + limit.interval - limit.burst * limit.interval - now);
}
