import { decodeClaims } from "../../jose/claims.ts";
import { JwsError } from "../../jose/error.ts";
import { type KnownHeaders, MAX_TOKEN_LENGTH, parseJws } from "../../jose/jws.ts";
import { SallyportError } from "../internal/errors.ts";
import { type Fetch, requestJson } from "../internal/http.ts";
import { checkClaims, checkTimes, type Expectations, freeze, mismatchText } from "./check-claims.ts";
import { type AccessClaims, refused } from "./claims.ts";
import { type Crypto, loadCrypto } from "./crypto.ts";
import { Jwks } from "./jwks.ts";
import { type VerificationKey, verifySignature } from "./keys.ts";
import type { OnStale, RevocationSource } from "./options.ts";
import { RevocationStream } from "./revocation-stream.ts";
import { Revocations, type TokenDigests } from "./revocations.ts";
import { streamTransport } from "./stream-transport.ts";
import { TokenCache } from "./token-cache.ts";

export interface VerifierOptions extends Expectations {
  /** The tenant's address; the key set and the revocations are below it. */
  tenantUrl: string;
  onStale: OnStale;
  /** Whether revocations are streamed, with the poll as a fallback, or only polled. */
  source: RevocationSource;
  fetch: Fetch;
  /** Milliseconds since the Unix epoch. */
  now: () => number;
  /** The most verified tokens to remember. */
  cacheSize: number;
  /** Default: the platform's. */
  crypto?: Crypto;
}

/** A token whose signature and fixed claims are valid. The facts that can change are checked at each use. */
interface Verified {
  claims: AccessClaims;
  key: VerificationKey;
  keysVersion: number;
  revocationsVersion: number;
  digests: TokenDigests | null;
}

const STALE_AFTER = 60_000;
const POLL_EVERY = 10_000;
const INTROSPECT_TIMEOUT = 5_000;
const INTROSPECT_MAX_BYTES = 1_000_000;

interface Sources {
  crypto: Crypto;
  jwks: Jwks;
}

/** Verifies one issuer's access tokens for one application and one audience, without a request per token. */
export class Verifier {
  readonly revocations: Revocations;
  readonly #options: VerifierOptions;
  readonly #cache: TokenCache<Verified>;
  readonly #headers: KnownHeaders = new Map();
  readonly #ready: Promise<Sources>;
  #sources: Sources | null = null;
  readonly #stream: RevocationStream | null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #lastUse = 0;

  constructor(options: VerifierOptions) {
    const { tenantUrl, fetch, now } = options;
    this.#options = options;
    this.#cache = new TokenCache(options.cacheSize);
    this.revocations = new Revocations({ url: `${tenantUrl}/v1/revocations`, fetch, now });
    this.#stream =
      options.source === "poll"
        ? null
        : new RevocationStream({
            url: `${tenantUrl}/v1/revocations/stream`,
            revocations: this.revocations,
            transport: streamTransport(fetch),
          });
    this.#ready = this.#prepare();
  }

  /** @throws SallyportError 401 for the token's faults; `unreachable` and the like for the appliance's */
  async verify(value: string | null | undefined): Promise<AccessClaims> {
    const token = bearer(value);
    const { crypto, jwks } = this.#sources ?? (await this.#ready);
    const now = this.#options.now();
    if (jwks.isDue(now) || this.revocations.isDue(now)) await this.#upkeep(jwks, now);
    this.#keepPolling(now);
    this.#stream?.use();
    const hash = crypto.sha256(token);
    const digest = typeof hash === "string" ? hash : await hash;
    const verified = this.#fromCache(digest, jwks) ?? (await this.#firstSight(token, digest));
    const reason = checkTimes(verified.claims, Math.floor(now / 1_000), this.#options.leeway);
    if (reason !== null) throw refused(reason);
    if (verified.revocationsVersion !== this.revocations.version) await this.#checkRevoked(verified, crypto);
    if (this.#options.onStale !== "allow" && this.revocations.staleness() > STALE_AFTER) await this.#onStale(token);
    return verified.claims;
  }

  /** Milliseconds since the Unix epoch. */
  now(): number {
    return this.#options.now();
  }

  /** Seconds. */
  get leeway(): number {
    return this.#options.leeway;
  }

  /** Ends the stream and the background poll. Verification still works. */
  close(): void {
    this.#stream?.close();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#lastUse = Number.NEGATIVE_INFINITY;
  }

  async #prepare(): Promise<Sources> {
    const { tenantUrl, fetch, now } = this.#options;
    const crypto = this.#options.crypto ?? (await loadCrypto());
    this.#sources = { crypto, jwks: new Jwks({ url: `${tenantUrl}/oauth2/jwks`, fetch, crypto, now }) };
    return this.#sources;
  }

  #fromCache(digest: string, jwks: Jwks): Verified | null {
    const known = this.#cache.get(digest);
    if (known === undefined) return null;
    if (known.keysVersion === jwks.version) return known;
    if (jwks.holds(known.key)) {
      known.keysVersion = jwks.version;
      return known;
    }
    this.#cache.delete(digest);
    return null;
  }

  async #firstSight(token: string, digest: string): Promise<Verified> {
    const { jwks } = await this.#ready;
    const jws = wellFormed(() => parseJws(token, this.#headers));
    const { kid } = jws.header;
    const key = kid === undefined ? null : await jwks.find(kid);
    if (!key) {
      // A withdrawn key left the key set. Its tokens are revoked, so that sessions refresh.
      const isWithdrawn = kid !== undefined && this.revocations.namesKey(await this.#digest(kid));
      throw refused(isWithdrawn ? "revoked" : "unknown_key");
    }
    const verdict = verifySignature(jws, key);
    if (!(typeof verdict === "boolean" ? verdict : await verdict)) throw refused("signature");
    const claims = wellFormed(() => decodeClaims(jws));
    const reason = checkClaims(claims, this.#options);
    if (reason !== null) throw refused(reason, mismatchText(reason, claims, this.#options));
    const verified: Verified = {
      claims: freeze(claims) as AccessClaims,
      key,
      keysVersion: jwks.version,
      revocationsVersion: -1,
      digests: null,
    };
    this.#cache.set(digest, verified);
    return verified;
  }

  async #digest(text: string): Promise<string> {
    return (await this.#ready).crypto.sha256(text);
  }

  /** Notes the version only for a token that passed: a revoked one is looked up, and refused, each time. */
  async #checkRevoked(verified: Verified, crypto: Crypto): Promise<void> {
    const { version } = this.revocations;
    if (!this.revocations.isEmpty) {
      verified.digests ??= await digestsOf(verified, crypto);
      if (this.revocations.refuses(verified.claims.iat, verified.digests)) throw refused("revoked");
    }
    verified.revocationsVersion = version;
  }

  /**
   * Runs behind the request while the held data is recent. The request waits at the start and after a pause (an idle process, a
   * frozen container), because an answer at once would come from old data. In an outage it waits only if onStale depends on
   * it; otherwise every request would take as long as the timeout.
   */
  async #upkeep(jwks: Jwks, now: number): Promise<void> {
    const isStale = this.revocations.staleness() > STALE_AFTER;
    const mustWait = isStale && (this.#options.onStale !== "allow" || !this.revocations.isFailing);
    const work: Promise<void>[] = [];
    if (jwks.isDue(now)) work.push(jwks.load());
    if (this.revocations.isDue(now)) work.push(this.revocations.poll());
    // One failed attempt is not an outage yet: onStale judges that, and the look-up whether there is a key at all.
    const settled = Promise.allSettled(work);
    if (mustWait) await settled;
  }

  /** While tokens keep coming, the poll runs on its own and does not wait for the next token. */
  #keepPolling(now: number): void {
    this.#lastUse = now;
    if (this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      const time = this.#options.now();
      if (time - this.#lastUse > STALE_AFTER) return;
      if (this.revocations.isDue(time)) void this.revocations.poll().catch(() => undefined);
      this.#keepPolling(this.#lastUse);
    }, POLL_EVERY);
    (this.#timer as { unref?: () => void }).unref?.();
  }

  /** The token introspects itself, which every kind of access token may do for any audience (RFC 7662). */
  async #onStale(token: string): Promise<void> {
    const { tenantUrl, fetch, onStale } = this.#options;
    if (onStale === "introspect") {
      const { body } = await requestJson(fetch, {
        url: `${tenantUrl}/oauth2/introspect`,
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
        form: new URLSearchParams({ token }),
        timeoutMs: INTROSPECT_TIMEOUT,
        maxBytes: INTROSPECT_MAX_BYTES,
      });
      if ((body as { active?: unknown } | null)?.active !== true) throw refused("revoked");
      return;
    }
    throw new SallyportError({
      code: "unreachable",
      message: "The appliance is out of reach, so the token's revocation cannot be checked.",
      status: 503,
      type: "api_error",
      details: { staleness_ms: this.revocations.staleness() },
    });
  }
}

/** @throws SallyportError if the token's form is malformed */
function wellFormed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof JwsError) throw refused("malformed");
    throw error;
  }
}

/** Returns the token of an Authorization value, with or without the scheme. @throws SallyportError if there is none */
function bearer(value: unknown): string {
  if (typeof value !== "string") throw refused("no_token");
  if (value.length > MAX_TOKEN_LENGTH) throw refused("malformed");
  // A value from a file or a pipe often ends with a line break.
  const text = value.trim();
  const token = text.startsWith("Bearer ") ? text.slice(7).trim() : text.replace(/^bearer(?:[ \t]+|$)/i, "");
  if (token.length < 8 && token.trim() === "") throw refused("no_token");
  return token;
}

async function digestsOf({ claims, key }: Verified, crypto: Crypto): Promise<TokenDigests> {
  const digest = (id: unknown) => (typeof id === "string" ? crypto.sha256(id) : null);
  return {
    sid: await digest(claims.sid),
    jti: await digest(claims.jti),
    sub: await digest(claims.sub),
    application: await digest(claims.azp),
    secret: await digest(claims.secret_id),
    key: await digest(key.kid),
  };
}
