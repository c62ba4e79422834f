/** Reads two clocks, in milliseconds: the wall's, and one that never jumps. */
export interface Reading {
  wall: number;
  steady: number;
}

export type ReadClocks = () => Reading;

/** Seconds before its end at which a token is replaced, at most. */
const AHEAD = 30;

/**
 * An access token in memory. Its end is counted from the moment of asking, by the `expires_in` of the answer: the device's
 * clock may be wrong by hours, so its absolute time is never compared with the server's.
 */
export class HeldToken {
  constructor(
    readonly value: string,
    /** Seconds, as answered. */
    readonly expiresIn: number,
    private readonly askedAt: Reading,
    private readonly read: ReadClocks,
  ) {}

  /** Seconds. Never more than this when it is asked again, whatever the clocks do. */
  get remaining(): number {
    const now = this.read();
    // The steady clock stands still while some devices sleep, the wall clock may be set back: the later of the two counts.
    const elapsed = Math.max(now.steady - this.askedAt.steady, now.wall - this.askedAt.wall);
    return this.expiresIn - elapsed / 1000;
  }

  /** Seconds before the end at which it is replaced: a fifth of its life, at most {@link AHEAD}. */
  get ahead(): number {
    return Math.min(AHEAD, this.expiresIn / 5);
  }
}
