/**
 * The arithmetic of rate limits: GCRA, a leaky bucket kept as one instant, the "theoretical arrival time" (TAT). What is
 * stored is one integer a key; the storage room applies {@link admit} as one conditional statement.
 */
export interface Limit {
  /** How many may come at once. */
  burst: number;
  /** Milliseconds until one more is allowed. */
  interval: number;
}

/** `"10/10m"`: ten at once, refilled evenly over ten minutes. Units: s, m, h, d. @returns null when it is no limit. */
export function parseLimit(text: string): Limit | null {
  const match = /^([1-9]\d{0,8})\/([1-9]\d{0,5})?([smhd])$/.exec(text);
  if (!match) return null;
  const unit = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[3] as "s" | "m" | "h" | "d"];
  const burst = Number(match[1]);
  return { burst, interval: Math.max(1, Math.floor((Number(match[2] ?? 1) * unit) / burst)) };
}

/** Milliseconds to wait, given the stored TAT, until one more is admitted; 0 when it would be now. */
export function waitFor(limit: Limit, tat: number, now: number): number {
  return Math.max(0, tat + limit.interval - limit.burst * limit.interval - now);
}
