import { JwsError } from "../../jose/error.ts";
import { parseUniqueObject } from "../../jose/json.ts";
import { type PublicKey, readKeySet } from "../../jose/jwk.ts";
import { unexpectedResponse } from "../internal/errors.ts";
import { type Fetch, requestJson } from "../internal/http.ts";
import { singleFlight } from "../internal/single-flight.ts";
import type { Crypto } from "./crypto.ts";
import { importVerificationKey, type VerificationKey } from "./keys.ts";

const SECOND = 1_000;
const TIMEOUT = 5 * SECOND;
const MAX_BYTES = 1_000_000;
/** A tenant has a handful. A far larger key set is an attack on memory. */
const MAX_KEYS = 100;
const DEFAULT_MAX_AGE = 300 * SECOND;
const MIN_MAX_AGE = 10 * SECOND;
const MAX_MAX_AGE = 24 * 3_600 * SECOND;
/** Tokens with invented `kid`s must not flood the appliance with requests: they cause one fetch in this time. */
const UNKNOWN_KID_COOLDOWN = 10 * SECOND;
/** The time between a failed fetch and the next. */
const RETRY_AFTER = 5 * SECOND;

export interface JwksOptions {
  url: string;
  fetch: Fetch;
  crypto: Crypto;
  now: () => number;
}

/**
 * The issuer's keys, served from memory while a newer set is fetched in the background: neither an outage nor a rotation delays
 * a request. A key that a newer set lacks is gone at once, and so are the tokens that it signed.
 */
export class Jwks {
  /** Rises with every change of the set: a cached verdict of this version needs no second look. */
  version = 0;
  #keys = new Map<string, VerificationKey>();
  #published = new Map<string, string>();
  #etag: string | null = null;
  #freshUntil = 0;
  #loaded = false;
  /** Why there is no set yet. Thrown again until the next attempt is due, which prevents a storm in an outage. */
  #failure: unknown = null;
  #notBefore = 0;
  #unknownNotBefore = 0;
  readonly #options: JwksOptions;
  readonly #refresh: () => Promise<void>;

  constructor(options: JwksOptions) {
    this.#options = options;
    this.#refresh = singleFlight(() =>
      this.#fetch().catch((error: unknown) => {
        this.#failure = error;
        throw error;
      }),
    );
  }

  /** @returns null if the issuer has no such key. @throws SallyportError if no key set was ever loaded */
  async find(kid: string): Promise<VerificationKey | null> {
    const now = this.#options.now();
    if (!this.#loaded) {
      if (this.#failure !== null && now < this.#notBefore) throw this.#failure;
      await this.#refresh();
    }
    if (!this.#keys.has(kid) && now >= this.#unknownNotBefore) {
      this.#unknownNotBefore = now + UNKNOWN_KID_COOLDOWN;
      await this.#refresh().catch(() => undefined);
    }
    return this.#keys.get(kid) ?? null;
  }

  /** Whether this very key (not another with its name) is still published. */
  holds(key: VerificationKey): boolean {
    return this.#keys.get(key.kid) === key;
  }

  /** Whether it is time to fetch a newer set. */
  isDue(now: number): boolean {
    return now >= this.#freshUntil && now >= this.#notBefore;
  }

  /** Fetches, revalidates or joins the current fetch. @throws SallyportError; the held set stays */
  load(): Promise<void> {
    return this.#refresh();
  }

  async #fetch(): Promise<void> {
    const { url, fetch, now } = this.#options;
    this.#notBefore = now() + RETRY_AFTER;
    this.#failure = null;
    const headers: Record<string, string> = this.#etag === null ? {} : { "if-none-match": this.#etag };
    const response = await requestJson(fetch, {
      url,
      headers,
      timeoutMs: TIMEOUT,
      maxBytes: MAX_BYTES,
      parse: parseUniqueObject,
    });
    if (response.status !== 304) {
      await this.#replace(response.body);
      this.#etag = response.headers.get("etag");
    }
    this.#loaded = true;
    this.#freshUntil = now() + maxAge(response.headers.get("cache-control"));
  }

  async #replace(set: unknown): Promise<void> {
    const keys = new Map<string, VerificationKey>();
    const published = new Map<string, string>();
    for (const read of this.#read(set)) {
      const text = JSON.stringify(read);
      const known = this.#published.get(read.kid) === text ? this.#keys.get(read.kid) : undefined;
      const key = known ?? (await importVerificationKey(read, this.#options.crypto));
      if (!key) continue;
      keys.set(key.kid, key);
      published.set(key.kid, text);
    }
    this.#keys = keys;
    this.#published = published;
    this.version++;
  }

  #read(set: unknown): PublicKey[] {
    const { url } = this.#options;
    const { keys } = (set ?? {}) as { keys?: unknown };
    if (Array.isArray(keys) && keys.length > MAX_KEYS) throw unexpectedResponse(url, 200, `more than ${MAX_KEYS} keys`);
    try {
      return readKeySet(set);
    } catch (error) {
      if (error instanceof JwsError) throw unexpectedResponse(url, 200, `an invalid key set: ${error.message}`);
      throw error;
    }
  }
}

/** Milliseconds for which an answer stays fresh, limited to between ten seconds and a day. */
function maxAge(cacheControl: string | null): number {
  const seconds = /(?:^|[\s,])max-age=(\d{1,9})/i.exec(cacheControl ?? "")?.[1];
  if (seconds === undefined) return DEFAULT_MAX_AGE;
  return Math.min(MAX_MAX_AGE, Math.max(MIN_MAX_AGE, Number(seconds) * SECOND));
}
