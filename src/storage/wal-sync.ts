import { fdatasync } from "node:fs";

/** Makes commits survive a power cut. */
export interface Durability {
  /** Resolves when everything written before the call is on the disk. Rejects for ever after one failure. */
  flush(): Promise<void>;
}

/** For data that ends with the process. */
export const NOT_DURABLE: Durability = { flush: () => Promise.resolve() };

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Flushes SQLite's `-wal` file on a thread, one flush at a time. Calls that arrive during a flush share the next one.
 *
 * SQLite runs with `synchronous=NORMAL`: it writes a commit to the WAL and leaves the flush to this class. A second
 * descriptor of the `-wal` file is harmless: SQLite's POSIX locks are on the database and the `-shm` file, and only
 * closing a descriptor of *those* would drop them. The file stays the same while a connection is open (a reset or a
 * truncating checkpoint keeps its inode), and a checkpoint flushes pages to the database before it removes them from the
 * file.
 */
export class WalSync implements Durability {
  #waiting: Waiter[] = [];
  #running = false;
  #failure: unknown;

  constructor(readonly descriptor: number) {}

  flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#start();
    });
  }

  #start(): void {
    if (this.#running || this.#waiting.length === 0) return;
    const covered = this.#waiting;
    this.#waiting = [];
    // A flush after a failed one proves nothing: the kernel marks the unwritten pages as clean.
    if (this.#failure !== undefined) {
      for (const waiter of covered) waiter.reject(this.#failure);
      return;
    }
    this.#running = true;
    fdatasync(this.descriptor, (error) => {
      this.#running = false;
      if (error) this.#failure = error;
      for (const waiter of covered) error ? waiter.reject(error) : waiter.resolve();
      this.#start();
    });
  }
}
