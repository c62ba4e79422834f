import { type Clock, SECOND } from "../core/clock.ts";
import { AppError } from "../core/errors.ts";

export interface HashQueueOptions {
  /** Hashes that run at once. Each takes a core and 19 MiB. */
  slots: number;
  maxWaiting: number;
  /** Hashes of the same fairness key that may wait, so that one network cannot fill the queue. */
  maxWaitingPerKey: number;
  clock: Clock;
}

export interface HashQueueStats {
  waiting: number;
  running: number;
  /** Hashes refused since the start because the queue was full. */
  shed: number;
  /** Hashes finished since the start, including failed ones. */
  done: number;
  /** Milliseconds that a new caller would wait at most. */
  estimatedWait: number;
}

interface Job {
  start(): void;
}

/** A first guess at the duration of one hash in ms, until one is measured. */
const FIRST_GUESS = 15;

/**
 * A bounded queue in front of costly work, fair by key: the waiting keys take turns, so a flood from one network delays only
 * that network. Work that does not fit is refused at once with `overloaded` and an honest Retry-After.
 */
export class HashQueue {
  readonly #options: HashQueueOptions;
  /** In the order of the turns. A key is in this map only while it waits. */
  readonly #waiting = new Map<string, Job[]>();
  #waitingCount = 0;
  #running = 0;
  #shed = 0;
  #done = 0;
  #typical = FIRST_GUESS;

  constructor(options: HashQueueOptions) {
    this.#options = options;
  }

  get stats(): HashQueueStats {
    return {
      waiting: this.#waitingCount,
      running: this.#running,
      shed: this.#shed,
      done: this.#done,
      estimatedWait: this.#estimatedWait(),
    };
  }

  /**
   * Runs `work` when a slot is free and it is this key's turn. The signal does not interrupt work that has begun.
   * @param fairnessKey the client's network, whose turn is used
   * @throws AppError `overloaded`; the signal's reason when it aborts while the work waits
   */
  run<T>(fairnessKey: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#running < this.#options.slots) return this.#work(work);
    const queue = this.#waiting.get(fairnessKey) ?? [];
    if (this.#waitingCount >= this.#options.maxWaiting || queue.length >= this.#options.maxWaitingPerKey) {
      this.#shed++;
      const retryAfter = Math.max(1, Math.ceil(this.#estimatedWait() / SECOND));
      return Promise.reject(new AppError("overloaded", { retryAfter }));
    }
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#leave(fairnessKey, job);
        reject(signal?.reason);
      };
      const job: Job = {
        start: () => {
          signal?.removeEventListener("abort", abort);
          this.#work(work).then(resolve, reject);
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      queue.push(job);
      this.#waiting.set(fairnessKey, queue);
      this.#waitingCount++;
    });
  }

  async #work<T>(work: () => Promise<T>): Promise<T> {
    this.#running++;
    const begun = this.#options.clock.now();
    try {
      return await work();
    } finally {
      this.#running--;
      this.#done++;
      const took = Math.max(0, this.#options.clock.now() - begun);
      this.#typical += (took - this.#typical) / 16;
      this.#next();
    }
  }

  #next(): void {
    const turn = this.#waiting.entries().next();
    if (turn.done || this.#running >= this.#options.slots) return;
    const [key, queue] = turn.value;
    const job = queue.shift();
    this.#waiting.delete(key);
    if (queue.length > 0) this.#waiting.set(key, queue);
    if (!job) return;
    this.#waitingCount--;
    job.start();
  }

  #leave(key: string, job: Job): void {
    const queue = this.#waiting.get(key);
    const index = queue?.indexOf(job) ?? -1;
    if (!queue || index < 0) return;
    queue.splice(index, 1);
    this.#waitingCount--;
    if (queue.length === 0) this.#waiting.delete(key);
  }

  #estimatedWait(): number {
    if (this.#running < this.#options.slots) return 0;
    return Math.ceil(((this.#waitingCount + 1) * this.#typical) / this.#options.slots);
  }
}
