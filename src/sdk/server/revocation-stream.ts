import { backoff, pause } from "../internal/backoff.ts";
import { readEvents } from "./event-stream.ts";
import type { Revocations } from "./revocations.ts";
import type { OpenStream, StreamTransport } from "./stream-transport.ts";

const SECOND = 1_000;
const FIRST_PAUSE = SECOND / 4;
const LONGEST_PAUSE = 30 * SECOND;
/** A stream that lasted this long did not fail, so the next attempt comes soon. If it broke earlier, the wait is longer. */
const LASTING = 10 * SECOND;
/** The appliance sends a comment every 15 s. If two are missing, the connection has died silently. */
const SILENCE = 40 * SECOND;
/** An appliance without a stream may have one after its next update. */
const UNSUPPORTED_PAUSE = 600 * SECOND;
const LONGEST_RETRY_AFTER = 300 * SECOND;
/** A process that verifies nothing needs no stream, nor does an abandoned instance. */
const IDLE = 60 * SECOND;

export interface RevocationStreamOptions {
  /** `<tenant URL>/v1/revocations/stream` */
  url: string;
  revocations: Revocations;
  transport: Promise<StreamTransport>;
}

/**
 * Keeps the revocations up to date by server-sent events. It starts with the first use, from the poll's cursor. While it is
 * down, the poll goes on as if there were no stream.
 */
export class RevocationStream {
  readonly #options: RevocationStreamOptions;
  #running: AbortController | null = null;
  /** From the process's own monotonic clock: how long a process is idle does not depend on the verifier's clock. */
  #lastUse = 0;

  constructor(options: RevocationStreamOptions) {
    this.#options = options;
  }

  /** Called with each verified token. */
  use(): void {
    this.#lastUse = performance.now();
    if (this.#running !== null) return;
    const running = new AbortController();
    this.#running = running;
    void this.#run(running.signal).finally(() => {
      if (this.#running === running) this.#running = null;
    });
  }

  close(): void {
    this.#running?.abort();
    this.#running = null;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { revocations } = this.#options;
    for (let attempt = 0; !signal.aborted && !this.#isIdle(); attempt++) {
      let wait = backoff(attempt, FIRST_PAUSE, LONGEST_PAUSE);
      if (revocations.cursor !== null) {
        const connection = new AbortController();
        const end = () => connection.abort();
        signal.addEventListener("abort", end);
        try {
          const stream = await this.#open(revocations.cursor, connection);
          if (stream.status === 200) {
            const begun = performance.now();
            await this.#read(stream, connection).catch(() => undefined);
            if (performance.now() - begun > LASTING) {
              attempt = 0;
              wait = backoff(attempt, FIRST_PAUSE, LONGEST_PAUSE);
            }
          } else wait = Math.max(wait, await this.#refused(stream));
        } catch {
          // The cause does not matter: the poll goes on, and the next attempt comes.
        } finally {
          revocations.isStreaming = false;
          signal.removeEventListener("abort", end);
          connection.abort();
        }
      }
      await pause(wait, signal);
    }
  }

  async #open(cursor: string, connection: AbortController): Promise<OpenStream> {
    const { transport, url } = this.#options;
    const timer = watchdog(connection);
    try {
      const open = await transport;
      return await open(`${url}?cursor=${encodeURIComponent(cursor)}`, connection.signal);
    } finally {
      timer.stop();
    }
  }

  /** @returns the least milliseconds to wait */
  async #refused({ status, header }: OpenStream): Promise<number> {
    if (status === 404 || status === 405 || status === 501) return UNSUPPORTED_PAUSE;
    // A restored appliance does not know this cursor. The poll knows how to begin again.
    if (status === 400) await this.#options.revocations.poll().catch(() => undefined);
    const seconds = Number(header("retry-after") ?? 0);
    return Number.isFinite(seconds) ? Math.min(LONGEST_RETRY_AFTER, Math.max(0, seconds * SECOND)) : 0;
  }

  async #read(stream: OpenStream, connection: AbortController): Promise<void> {
    const { revocations } = this.#options;
    if (!stream.header("content-type")?.startsWith("text/event-stream")) return;
    const timer = watchdog(connection);
    const idle = setInterval(() => {
      if (this.#isIdle()) connection.abort();
    }, IDLE / 4);
    (idle as { unref?: () => void }).unref?.();
    try {
      for await (const event of readEvents(stream.chunks)) {
        timer.reset();
        if (event.comment) {
          // The first event says that nothing is missing, and each later one that nothing has come since.
          revocations.isStreaming = true;
          revocations.touch();
        } else if (event.event === "revocation" && event.id !== null) {
          revocations.accept(JSON.parse(event.data), event.id);
        }
      }
    } finally {
      timer.stop();
      clearInterval(idle);
    }
  }

  #isIdle(): boolean {
    return performance.now() - this.#lastUse > IDLE;
  }
}

/** Aborts a connection that is silent for too long. */
function watchdog(connection: AbortController): { reset: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout>;
  const reset = () => {
    clearTimeout(timer);
    timer = setTimeout(() => connection.abort(), SILENCE);
    (timer as { unref?: () => void }).unref?.();
  };
  reset();
  return { reset, stop: () => clearTimeout(timer) };
}
