import { type Clock, MINUTE, SECOND } from "../../core/clock.ts";
import { RecentMap } from "../../core/recent-map.ts";
import type { SessionBundle } from "./store.ts";

/** How long after a rotation the previous token still returns its successor. The use of the successor ends it earlier. */
const GRACE = 2 * MINUTE;
/** A write that took longer is remembered, because its answer left late. */
const SLOW = SECOND;
/** The remembered rotations. Each needs a slow or failed write, so a stall of the database makes some, and a caller none. */
const CAPACITY = 10_000;

type Rotation = Pick<SessionBundle, "sid" | "generation">;

/**
 * Tells whether a used refresh token is the owner's retry after a lost answer. Its time counts from the moment at which the
 * answer could leave: a disk or database may stall for longer than the grace, and the owner cannot have the successor before
 * its row is durable. The row holds the time of the rotation, which is enough for another node or after a crash. This process
 * also knows which rotations were late.
 */
export class RefreshGrace {
  /** The rotations whose writes have not ended. */
  readonly #pending = new Set<string>();
  /** The time at which a late answer could leave; infinite if the write failed, so that this process answered nobody. */
  readonly #late = new RecentMap<number>(CAPACITY);

  constructor(private readonly clock: Clock) {}

  /** Runs a write. While it runs, and if it ends late, the grace of the rotation that it reports to `rotated` is longer. */
  async during<T>(write: (rotated: (rotation: Rotation) => void) => Promise<T>): Promise<T> {
    const started = this.clock.now();
    let key: string | undefined;
    const rotated = (rotation: Rotation) => {
      key = keyOf(rotation);
      this.#pending.add(key);
    };
    let answerable = Number.POSITIVE_INFINITY;
    try {
      const result = await write(rotated);
      answerable = this.clock.now();
      return result;
    } finally {
      if (key !== undefined) this.#settle(key, started, answerable);
    }
  }

  /** @param generation of the token that came again */
  covers(session: SessionBundle, generation: number): boolean {
    if (session.generation !== generation + 1) return false;
    const key = keyOf(session);
    if (this.#pending.has(key)) return true;
    const now = this.clock.now();
    let late = this.#late.get(key) ?? 0;
    if (late === Number.POSITIVE_INFINITY) {
      this.#late.set(key, now);
      late = now;
    }
    const since = now - Math.max(session.rotated_at ?? 0, late);
    // The difference is negative if the clock was set back. That is outside the grace period.
    return since >= -SECOND && since <= GRACE;
  }

  #settle(key: string, started: number, answerable: number): void {
    this.#pending.delete(key);
    if (answerable - started > SLOW || this.#late.get(key) !== undefined) this.#late.set(key, answerable);
  }
}

const keyOf = ({ sid, generation }: Rotation) => `${sid} ${generation}`;
