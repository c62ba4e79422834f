import { SECOND } from "../core/clock.ts";
import type { PostgresPool, PostgresResult, PostgresSession } from "./postgres-pool.ts";

/** Milliseconds that a caller waits for a connection or for one statement: an answer comes within five seconds. */
export const PATIENCE = 4 * SECOND;

/**
 * Gives up on a server that does not answer. A caller that has given up sends no further statement, so nothing that it began
 * is committed later.
 */
export function withDeadlines(pool: PostgresPool): PostgresPool {
  const deadlines = new Deadlines();
  return {
    query: (sql, params) => deadlines.limit(pool.query(sql, params)),
    reserve: async () => {
      const reserving = pool.reserve();
      const session = await deadlines.limit(reserving).catch((error: unknown) => {
        // The connection may come later. Nobody waits for it then.
        reserving.then((late) => late.release(false)).catch(() => undefined);
        throw error;
      });
      return new PunctualSession(session, deadlines);
    },
    close: () => pool.close(),
  };
}

class PunctualSession implements PostgresSession {
  /** The statement that has not been answered in time. */
  #late: Promise<unknown> | undefined;

  constructor(
    private readonly inner: PostgresSession,
    private readonly deadlines: Deadlines,
  ) {}

  async query(sql: string, params: readonly unknown[]): Promise<PostgresResult> {
    const running = this.inner.query(sql, params);
    try {
      return await this.deadlines.limit(running);
    } catch (error) {
      if (error instanceof Late) this.#late = running;
      throw error;
    }
  }

  /** A late statement keeps its connection. Once it has ended, its transaction is undone, and the connection is free. */
  release(broken: boolean): void {
    if (!this.#late) {
      this.inner.release(broken);
      return;
    }
    const undo = () => this.inner.query("ROLLBACK", []);
    this.#late
      .then(undo, undo)
      .catch(() => undefined)
      .finally(() => this.inner.release(true));
  }
}

class Late extends Error {
  readonly code = "ETIMEDOUT";
}

interface Waiting {
  readonly due: number;
  giveUp(): void;
}

/** Ends waits by one timer for all: a timer for each statement took a tenth of a session check. */
class Deadlines {
  /** In the order of their deadlines, because all have the same patience. */
  readonly #waiting = new Set<Waiting>();
  #isArmed = false;

  limit<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const giveUp = () => reject(new Late(`PostgreSQL did not answer within ${PATIENCE / SECOND} s`));
      const waiting: Waiting = { due: performance.now() + PATIENCE, giveUp };
      this.#waiting.add(waiting);
      if (!this.#isArmed) this.#arm(PATIENCE);
      work.then(
        (value) => {
          this.#waiting.delete(waiting);
          resolve(value);
        },
        (error: unknown) => {
          this.#waiting.delete(waiting);
          reject(error);
        },
      );
    });
  }

  #arm(ms: number): void {
    this.#isArmed = true;
    setTimeout(() => this.#sweep(), ms);
  }

  #sweep(): void {
    this.#isArmed = false;
    const now = performance.now();
    for (const waiting of this.#waiting) {
      // A timer may come a moment early.
      if (waiting.due > now + 1) {
        this.#arm(waiting.due - now);
        return;
      }
      this.#waiting.delete(waiting);
      waiting.giveUp();
    }
  }
}
