import { backoff, pause } from "../internal/backoff.ts";
import { readEvents } from "./event-stream.ts";
import type { Revocations } from "./revocations.ts";
import type { OpenStream, StreamTransport } from "./stream-transport.ts";

const SECOND = 1_000;
const FIRST_PAUSE = SECOND / 4;
const LONGEST_PAUSE = 30 * SECOND;
/** A stream that held this long was no failure: the next attempt comes soon. One that opens and breaks is waited for. */
const LASTING = 10 * SECOND;
/** The appliance sends a comment every 15 s; two of them missing is a connection that died without a word. */
const SILENCE = 40 * SECOND;
/** An appliance that has no stream may have one after its next update. */
const UNSUPPORTED_PAUSE = 600 * SECOND;
const LONGEST_RETRY_AFTER = 300 * SECOND;
/** No stream for a process that verifies nothing, nor for an instance that somebody has dropped. */
const IDLE = 60 * SECOND;

export interface RevocationStreamOptions {
  /** `<tenant URL>/v1/revocations/stream` */
  url: string;
  revocations: Revocations;
  transport: Promise<StreamTransport>;
}

/**
 * Keeps the revocations in step by server-sent events. It begins with the first use and from where the poll stands; whenever it
 * is down, the poll goes on as if there were no stream.
 */
export class RevocationStream {
  readonly #options: RevocationStreamOptions;
  #running: AbortController | null = null;
  /** Of the process's own monotonic clock: an idle process is none of the verifier's time. */
  #lastUse = 0;

  constructor(options: RevocationStreamOptions) {
    this.#options = options;
  }

  /** Called with each token that is verified. */
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
          // Whatever it was: the poll goes on, and the next attempt comes.
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

  /** @returns milliseconds to wait at least */
  async #refused({ status, header }: OpenStream): Promise<number> {
    if (status === 404 || status === 405 || status === 501) return UNSUPPORTED_PAUSE;
    // A cursor that a restored appliance does not know: the poll knows how to begin again.
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
          // The first one says that nothing is missing, and each of the others that nothing came since.
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

/** Aborts what has been silent for too long. */
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
