import { SECOND } from "../core/clock.ts";
import type { PostgresPool, PostgresResult, PostgresSession } from "./postgres-pool.ts";

/** Milliseconds that a caller waits for a connection or for one statement: an answer comes within five seconds. */
export const PATIENCE = 4 * SECOND;

/**
 * Gives up on a server that does not answer. A caller that has given up sends no further statement, so nothing that it began
 * is committed later.
 */
export function withDeadlines(pool: PostgresPool): PostgresPool {
  return {
    query: (sql, params) => inTime(pool.query(sql, params)),
    reserve: async () => {
      const reserving = pool.reserve();
      const session = await inTime(reserving).catch((error: unknown) => {
        // The connection may come later. Nobody waits for it then.
        reserving.then((late) => late.release(false)).catch(() => undefined);
        throw error;
      });
      return new PunctualSession(session);
    },
    close: () => pool.close(),
  };
}

class PunctualSession implements PostgresSession {
  /** The statement that has not been answered in time. */
  #late: Promise<unknown> | undefined;

  constructor(private readonly inner: PostgresSession) {}

  async query(sql: string, params: readonly unknown[]): Promise<PostgresResult> {
    const running = this.inner.query(sql, params);
    try {
      return await inTime(running);
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

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Late(`PostgreSQL did not answer within ${PATIENCE / SECOND} s`)), PATIENCE);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
