import { backoff, pause } from "../internal/backoff.ts";
import { SallyportError } from "../internal/errors.ts";

const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 8_000;
/** The longest wait, in milliseconds, that the appliance may ask for. Beyond it, the error names the wait. */
const LONGEST_RETRY_AFTER = 30_000;
/** A proxy's answers while the appliance restarts. */
const GATEWAY = new Set<unknown>([502, 503, 504]);

/** Retries failures that pass: 429, 503, no answer. */
export class Retries {
  /** @param most attempts after the first */
  constructor(private readonly most: number) {}

  /**
   * @param isRepeatable whether a second run changes nothing more; otherwise the first failure is final
   * @throws the last attempt's error
   */
  async run<T>(work: () => Promise<T>, isRepeatable: boolean): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const wait = isRepeatable && attempt < this.most ? waitAfter(error, attempt) : null;
        if (wait === null) throw error;
        await pause(wait);
      }
    }
  }
}

/** Milliseconds, or null if another attempt would not help. */
function waitAfter(error: unknown, attempt: number): number | null {
  if (!(error instanceof SallyportError)) return null;
  const isGateway =
    error.code === "unexpected_response" && GATEWAY.has((error.details as { status?: unknown } | null)?.status);
  if (error.status !== 429 && error.status !== 503 && !isGateway) return null;
  const own = backoff(attempt, FIRST_PAUSE, LONGEST_PAUSE);
  const asked = (error.retryAfter ?? 0) * 1_000;
  // Waits a random bit longer than asked, because other callers were given the same second.
  return asked > LONGEST_RETRY_AFTER ? null : Math.max(own, asked + own / 2);
}
