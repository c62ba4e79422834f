/** Reads two clocks, in milliseconds: the wall's, and one that never jumps. */
export interface Reading {
  wall: number;
  steady: number;
}

export type ReadClocks = () => Reading;

/** Seconds before its end at which a token is replaced, at most. */
const AHEAD = 30;

/**
 * An access token in memory. Its end is `expires_in` after the request was sent. The device's clock may be wrong by hours, so
 * nothing compares the token's absolute expiry with it.
 */
export class HeldToken {
  constructor(
    readonly value: string,
    /** Seconds, as answered. */
    readonly expiresIn: number,
    private readonly askedAt: Reading,
    private readonly read: ReadClocks,
  ) {}

  /** Seconds left. Never rises, whatever the clocks do. */
  get remaining(): number {
    const now = this.read();
    // The steady clock stops while some devices sleep, and the wall clock may be set back. The longer time counts.
    const elapsed = Math.max(now.steady - this.askedAt.steady, now.wall - this.askedAt.wall);
    return this.expiresIn - elapsed / 1000;
  }

  /** Seconds before its end at which the token is replaced: a fifth of its life, at most {@link AHEAD}. */
  get ahead(): number {
    return Math.min(AHEAD, this.expiresIn / 5);
  }
}
