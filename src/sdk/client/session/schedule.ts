/** Milliseconds: what a timer of a browser can hold. */
const LONGEST = 2_000_000_000;
const FIRST_RETRY = 1_000;
const LAST_RETRY = 60_000;

interface Duties {
  /** The token is about to end, or the last attempt failed: look, and refresh if need be. */
  check: () => void;
}

/**
 * When to look after the session: ahead of the token's end, after a failure ever more seldom, and at once when the page is
 * shown, comes back from the back-forward cache or gets its network back. A hidden page is left alone until it is shown.
 */
export class Schedule {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retry = FIRST_RETRY;
  readonly #wake = () => {
    if (document.visibilityState === "visible") this.duties.check();
  };
  readonly #online = () => {
    this.#retry = FIRST_RETRY;
    this.duties.check();
  };

  constructor(private readonly duties: Duties) {
    document.addEventListener("visibilitychange", this.#wake);
    globalThis.addEventListener("pageshow", this.#wake);
    globalThis.addEventListener("online", this.#online);
  }

  /** @param seconds until the token is to be replaced */
  renewIn(seconds: number): void {
    this.#retry = FIRST_RETRY;
    this.#in(seconds * 1000, this.#wake);
  }

  /** @param retryAfter seconds, where the appliance named them */
  retryLater(retryAfter: number | null): void {
    // Without a network every attempt fails; the event says when there is one again.
    const delay = globalThis.navigator?.onLine === false ? LAST_RETRY : this.#retry;
    this.#retry = Math.min(this.#retry * 2, LAST_RETRY);
    this.#in(Math.max(delay, (retryAfter ?? 0) * 1000), this.duties.check);
  }

  rest(): void {
    clearTimeout(this.#timer);
  }

  close(): void {
    this.rest();
    document.removeEventListener("visibilitychange", this.#wake);
    globalThis.removeEventListener("pageshow", this.#wake);
    globalThis.removeEventListener("online", this.#online);
  }

  #in(milliseconds: number, run: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(run, Math.min(Math.max(milliseconds, 0), LONGEST));
  }
}
