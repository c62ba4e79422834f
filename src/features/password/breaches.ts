import { hash } from "node:crypto";
import { SECOND } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { ThrottledLog } from "../../core/throttled-log.ts";

/** The most that a request may wait for the service, in ms. */
const PATIENCE = 2 * SECOND;
/** The characters of the digest that the service sees. About a thousand known passwords share them. */
const PREFIX = 5;
const MOST_CHARACTERS = 1_000_000;

/**
 * Asks a service for breached passwords whether it knows a new one (NIST SP 800-63B-4 section 3.1.1.2), by the range protocol of
 * Have I Been Pwned: the service gets five hexadecimal characters of the SHA-1 and answers every digest that begins with them, so
 * it learns neither the password nor whether it is known. A service that fails or is slow keeps nobody from a new password.
 */
export class Breaches {
  readonly #log: ThrottledLog;

  constructor(
    /** The address that the five characters are appended to; null asks nobody. */
    private readonly url: string | null,
    log: Log,
    private readonly patience: number = PATIENCE,
  ) {
    this.#log = new ThrottledLog(log);
  }

  /** @param password in its NFKC form */
  async has(password: string): Promise<boolean> {
    if (this.url === null) return false;
    const digest = hash("sha1", password, "hex").toUpperCase();
    try {
      return listed(await this.#range(this.url + digest.slice(0, PREFIX)), digest.slice(PREFIX));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.error("breaches", { reason }, "The service for breached passwords did not answer. New passwords pass.");
      return false;
    }
  }

  async #range(address: string): Promise<string> {
    const response = await fetch(address, {
      // Padding hides from an observer of the traffic how long the answer is.
      headers: { "add-padding": "true", "user-agent": "sallyport" },
      redirect: "error",
      signal: AbortSignal.timeout(this.patience),
    });
    if (response.status !== 200) throw new Error(`it answered ${response.status}`);
    if (Number(response.headers.get("content-length") ?? 0) > MOST_CHARACTERS)
      throw new Error("its answer is too long");
    return response.text();
  }
}

/** Reads lines of a digest's rest and a count. A count of 0 is padding. */
function listed(range: string, rest: string): boolean {
  for (const line of range.split("\n")) {
    const [suffix = "", count = ""] = line.trim().split(":");
    if (suffix.toUpperCase() === rest) return Number(count) > 0;
  }
  return false;
}
