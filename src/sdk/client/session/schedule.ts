/** Milliseconds: the longest time that a browser's timer can hold. */
const LONGEST = 2_000_000_000;
const FIRST_RETRY = 1_000;
const LAST_RETRY = 60_000;

interface Duties {
  /** Called when the token is about to end or the last attempt failed: checks the session, and refreshes it if needed. */
  check: () => void;
}

/**
 * Decides when to check the session: ahead of the token's end, after failures at growing intervals, and at once when the page
 * is shown, gets the focus, comes back from the back-forward cache or is online again. A hidden page waits until it is shown. An
 * app without a page has timers only.
 */
export class Schedule {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retry = FIRST_RETRY;
  readonly #wake = () => {
    if (!this.isPage || document.visibilityState === "visible") this.duties.check();
  };
  readonly #online = () => {
    this.#retry = FIRST_RETRY;
    this.duties.check();
  };

  constructor(
    private readonly duties: Duties,
    private readonly isPage: boolean,
  ) {
    if (!isPage) return;
    document.addEventListener("visibilitychange", this.#wake);
    globalThis.addEventListener("pageshow", this.#wake);
    globalThis.addEventListener("focus", this.#wake);
    globalThis.addEventListener("online", this.#online);
  }

  /** @param seconds the time until the token must be replaced */
  renewIn(seconds: number): void {
    this.#retry = FIRST_RETRY;
    this.#in(seconds * 1000, this.#wake);
  }

  /** @param retryAfter seconds, if the appliance named them */
  retryLater(retryAfter: number | null): void {
    // Offline, every attempt fails. The `online` event announces the network's return.
    const delay = globalThis.navigator?.onLine === false ? LAST_RETRY : this.#retry;
    this.#retry = Math.min(this.#retry * 2, LAST_RETRY);
    this.#in(Math.max(delay, (retryAfter ?? 0) * 1000), this.duties.check);
  }

  rest(): void {
    clearTimeout(this.#timer);
  }

  close(): void {
    this.rest();
    if (!this.isPage) return;
    document.removeEventListener("visibilitychange", this.#wake);
    globalThis.removeEventListener("pageshow", this.#wake);
    globalThis.removeEventListener("focus", this.#wake);
    globalThis.removeEventListener("online", this.#online);
  }

  #in(milliseconds: number, run: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(run, Math.min(Math.max(milliseconds, 0), LONGEST));
  }
}
