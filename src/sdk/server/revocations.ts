import { SallyportError, unexpectedResponse } from "../internal/errors.ts";
import { type Fetch, requestJson } from "../internal/http.ts";
import { singleFlight } from "../internal/single-flight.ts";

/** The kind of thing that a revocation names. */
type Kind = "sid" | "jti" | "sub" | "application" | "secret" | "key" | "tenant";
const KINDS = new Set<unknown>(["sid", "jti", "sub", "application", "secret", "key", "tenant"] satisfies Kind[]);

interface Entry {
  /** Unix seconds: refuses tokens issued before then. */
  issuedBefore: number;
  /** Unix seconds: every token that this could refuse has expired by then. */
  expiresAt: number;
}

/** One element of `data` of `GET <issuer>/v1/revocations`. */
interface WireEntry {
  kind: string;
  /** base64url of the SHA-256 of the id. */
  digest: string;
  issued_before: number;
  expires_at: number;
}

const SECOND = 1_000;
const TIMEOUT = 5 * SECOND;
const MAX_BYTES = 4_000_000;
const MAX_PAGES = 1_000;
/**
 * The most entries held: about 70 MB under Node, 40 MB under Bun. The appliance sends at most one longest token lifetime's
 * worth.
 */
const MAX_ENTRIES = 100_000;
const POLL_EVERY = 10 * SECOND;
/** A stream that was silent for this long (in a container that was frozen) must not keep the poll from asking. */
const STREAM_SILENCE = 40 * SECOND;
/** Seconds after its `exp` for which a token may be accepted; an entry must outlive that too. */
export const MAX_LEEWAY = 60;

export interface RevocationsOptions {
  url: string;
  fetch: Fetch;
  now: () => number;
}

/** The SHA-256 digests that name a token; `null` for a claim that it lacks. */
export type TokenDigests = Record<Exclude<Kind, "tenant">, string | null>;

/**
 * The issuer's revocations, kept up to date by a delta poll, or by the stream that continues from its cursor. No entry is
 * dropped early to save memory, because a revoked token would be accepted again: a feed beyond {@link MAX_ENTRIES} counts as
 * no contact instead.
 */
export class Revocations {
  /** Rises with every entry: a cached verdict of this version needs no second look. */
  version = 0;
  /** Whether a stream is up to date. If so, nothing polls. */
  isStreaming = false;
  #entries = new Map<string, Entry>();
  #tenant: Entry | null = null;
  #cursor: string | null = null;
  #lastContact = Number.NEGATIVE_INFINITY;
  #notBefore = 0;
  #isPolling = false;
  #isFailing = false;
  readonly #options: RevocationsOptions;
  readonly #poll: () => Promise<void>;

  constructor(options: RevocationsOptions) {
    this.#options = options;
    this.#poll = singleFlight(() => this.#attempt());
  }

  /** Milliseconds since the feed was last read to its end; Infinity before the first time. */
  staleness(): number {
    return Math.max(0, this.#options.now() - this.#lastContact);
  }

  /** Whether to start or join a poll. Failed attempts count as polls, which prevents a storm in an outage. */
  isDue(now: number): boolean {
    if (this.isStreaming && now - this.#lastContact < STREAM_SILENCE) return false;
    return now >= this.#notBefore || this.#isPolling;
  }

  /** Where the next poll or stream continues; null before the first answer. */
  get cursor(): string | null {
    return this.#cursor;
  }

  /** Takes one entry from the stream. @throws SallyportError if there are too many */
  accept(entry: unknown, cursor: string): void {
    this.#add(entry);
    this.#cursor = cursor;
  }

  /** Notes that the stream is up to date now. */
  touch(): void {
    const now = this.#options.now();
    this.#lastContact = now;
    this.#isFailing = false;
    this.#sweep(Math.floor(now / SECOND) - MAX_LEEWAY);
  }

  /** Whether the last attempt failed. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Reads the feed to its end, or joins the current poll. @throws SallyportError; the held entries stay */
  poll(): Promise<void> {
    return this.#poll();
  }

  /** Whether no entry could refuse any token. */
  get isEmpty(): boolean {
    return this.#entries.size === 0 && this.#tenant === null;
  }

  /**
   * `iat` has whole seconds and the feed rounds up, so "issued before" already includes the second of the revocation. An entry
   * that names one session or one token refuses at equality too: neither ever returns, so there the error costs nothing.
   */
  refuses(iat: number, digests: TokenDigests): boolean {
    if (this.#tenant !== null && iat < this.#tenant.issuedBefore) return true;
    for (const [kind, digest] of Object.entries(digests)) {
      const entry = digest === null ? undefined : this.#entries.get(`${kind}:${digest}`);
      if (!entry) continue;
      if (iat < entry.issuedBefore || (iat === entry.issuedBefore && (kind === "sid" || kind === "jti"))) return true;
    }
    return false;
  }

  /** Whether a key was withdrawn: an entry that names it refuses every token of it. @param digest of its `kid` */
  namesKey(digest: string): boolean {
    return this.#entries.has(`key:${digest}`);
  }

  async #attempt(): Promise<void> {
    this.#notBefore = this.#options.now() + POLL_EVERY;
    this.#isPolling = true;
    try {
      await this.#catchUp();
      this.#isFailing = false;
    } catch (error) {
      this.#isFailing = true;
      throw error;
    } finally {
      this.#isPolling = false;
    }
  }

  async #catchUp(): Promise<void> {
    const { now } = this.#options;
    this.#sweep(Math.floor(now() / SECOND) - MAX_LEEWAY);
    try {
      await this.#read(this.#cursor);
    } catch (error) {
      // A restored or upgraded appliance may not know the cursor. Begin again, but keep the held entries.
      const isCursorRefused = error instanceof SallyportError && error.status === 400 && this.#cursor !== null;
      if (!isCursorRefused) throw error;
      this.#cursor = null;
      await this.#read(null);
    }
    this.#lastContact = now();
  }

  /** Reads pages until one is empty or brings nothing new. The next poll continues at the last cursor. */
  async #read(from: string | null): Promise<void> {
    let cursor = from;
    for (let page = 0; page < MAX_PAGES; page++) {
      const url = cursor === null ? this.#options.url : `${this.#options.url}?cursor=${encodeURIComponent(cursor)}`;
      const request = { url, timeoutMs: TIMEOUT, maxBytes: MAX_BYTES };
      const { body } = await requestJson(this.#options.fetch, request);
      const { data, next_cursor } = (body ?? {}) as { data?: unknown; next_cursor?: unknown };
      if (!Array.isArray(data)) throw unexpectedResponse(url, 200, "something that is not a list of revocations");
      for (const entry of data) this.#add(entry);
      const next = typeof next_cursor === "string" ? next_cursor : null;
      const isEnd = data.length === 0 || next === null || next === cursor;
      if (next !== null) this.#cursor = next;
      if (isEnd) return;
      cursor = next;
    }
    throw unexpectedResponse(this.#options.url, 200, "an endless list");
  }

  #add(value: unknown): void {
    if (!isWireEntry(value)) return;
    const key = `${value.kind}:${value.digest}`;
    const known = value.kind === "tenant" ? this.#tenant : this.#entries.get(key);
    if (!known && this.#entries.size >= MAX_ENTRIES) {
      throw unexpectedResponse(this.#options.url, 200, "too many revocations");
    }
    const entry = {
      issuedBefore: Math.max(value.issued_before, known?.issuedBefore ?? 0),
      expiresAt: Math.max(value.expires_at, known?.expiresAt ?? 0),
    };
    // The feed is one tenant's, so an entry of this kind ends every token of this issuer.
    if (value.kind === "tenant") this.#tenant = entry;
    else this.#entries.set(key, entry);
    this.version++;
  }

  #sweep(seconds: number): void {
    for (const [key, entry] of this.#entries) if (entry.expiresAt <= seconds) this.#entries.delete(key);
    if (this.#tenant !== null && this.#tenant.expiresAt <= seconds) this.#tenant = null;
  }
}

function isWireEntry(value: unknown): value is WireEntry {
  if (typeof value !== "object" || value === null) return false;
  const { kind, digest, issued_before, expires_at } = value as Record<string, unknown>;
  return (
    KINDS.has(kind) &&
    typeof digest === "string" &&
    digest.length <= 64 &&
    typeof issued_before === "number" &&
    typeof expires_at === "number"
  );
}
