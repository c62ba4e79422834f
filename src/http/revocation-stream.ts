import { SECOND } from "../core/clock.ts";
import { AppError } from "../core/errors.ts";
import type { Identity } from "../identity/identity.ts";
import { newestRevocation } from "../identity/revocations/public.ts";
import type { Exchange, Handler } from "./edge.ts";
import { EventConnection } from "./event-connection.ts";
import { queryOf } from "./request-target.ts";
import { RevocationChannel } from "./revocation-channel.ts";
import { readCursor, refuseUnknown, tenantOf } from "./revocations.ts";

export interface StreamLimits {
  /** The most open streams of one client network. */
  perNetwork: number;
  /** The most open streams of this process. Each holds some 100 kB at worst. */
  total: number;
}

const LIMITS: StreamLimits = { perNetwork: 20, total: 1_000 };
const HEARTBEAT = 15 * SECOND;
/** Milliseconds between reads of the table while a stream is open, to find revocations by other processes and nodes. */
const LOOK = 500;
/** Milliseconds that an EventSource waits before it reconnects. */
const RETRY = 2_000;

/**
 * Serves `GET /v1/revocations/stream`: the delta of `/v1/revocations` as server-sent events, resumed by Last-Event-ID
 * or `?cursor=`. A verifier that may not have a stream (429), or cannot open one, polls instead.
 */
export class RevocationStreams {
  readonly #channels = new Map<string, RevocationChannel>();
  readonly #perNetwork = new Map<string, number>();
  #open = 0;
  #isDraining = false;
  #look: ReturnType<typeof setInterval> | null = null;
  #heartbeat: ReturnType<typeof setInterval> | null = null;

  constructor(
    private readonly identity: Pick<Identity, "clock" | "directory" | "revocationSignal" | "storage">,
    private readonly limits: StreamLimits = LIMITS,
  ) {
    // The storage belongs to this process, so the signal lives no longer than these streams.
    identity.revocationSignal.onCommit((tenantId) => void this.#channels.get(tenantId)?.advance());
  }

  get open(): number {
    return this.#open;
  }

  readonly handler: Handler = async (exchange) => {
    const tenant = await tenantOf(this.identity, exchange);
    const { headers, url, method } = exchange.request;
    // A reconnecting EventSource sends both; the header has its current position.
    const cursor = readCursor(headers.get("last-event-id") || queryOf(url).get("cursor"));
    await refuseUnknown(this.identity, tenant.id, cursor);
    if (method === "HEAD") return new Response(null, { headers: headersOf(exchange) });
    const newest = await newestRevocation(this.identity.storage.read, tenant.id);
    return this.#start(exchange, tenant.id, cursor, newest);
  };

  /** Ends every stream and opens no new one, so that a process that is to stop does not wait for them. */
  drain(): void {
    this.#isDraining = true;
    for (const channel of this.#channels.values()) channel.end();
  }

  #start(exchange: Exchange, tenantId: string, cursor: number, newest: number): Response {
    const { network } = exchange.origin;
    const release = this.#take(network);
    const channel = this.#channels.get(tenantId) ?? new RevocationChannel(this.identity, tenantId, newest);
    this.#channels.set(tenantId, channel);
    const setIdleTimeout = (seconds: number) => exchange.server.timeout(exchange.request, seconds);
    const ending = Promise.withResolvers<"client" | "server">();
    exchange.ending = ending.promise;
    const connection = new EventConnection(cursor, setIdleTimeout, (by) => {
      ending.resolve(by);
      channel.leave(connection);
      release();
      setTimeout(() => this.#tidy(tenantId, channel), 0);
    });
    connection.send(`retry: ${RETRY}\n\n`);
    void channel.join(connection);
    this.#tick();
    return new Response(connection.body, { headers: headersOf(exchange) });
  }

  /**
   * Counts a new stream. Returns a function that gives its place back.
   * @throws AppError `rate_limited`, `overloaded`
   */
  #take(network: string): () => void {
    const held = this.#perNetwork.get(network) ?? 0;
    if (this.#isDraining || this.#open >= this.limits.total) throw new AppError("overloaded", { retryAfter: 30 });
    if (held >= this.limits.perNetwork) {
      throw new AppError("rate_limited", {
        message: "This network has too many open streams. Poll /v1/revocations instead.",
        retryAfter: 60,
      });
    }
    this.#open++;
    this.#perNetwork.set(network, held + 1);
    return () => {
      this.#open--;
      const left = (this.#perNetwork.get(network) ?? 1) - 1;
      if (left === 0) this.#perNetwork.delete(network);
      else this.#perNetwork.set(network, left);
    };
  }

  #tidy(tenantId: string, channel: RevocationChannel): void {
    if (!channel.isEmpty || this.#channels.get(tenantId) !== channel) return;
    this.#channels.delete(tenantId);
    if (this.#channels.size > 0) return;
    if (this.#look !== null) clearInterval(this.#look);
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
    this.#look = null;
    this.#heartbeat = null;
  }

  #tick(): void {
    this.#look ??= setInterval(() => {
      for (const channel of this.#channels.values()) void channel.advance();
    }, LOOK);
    this.#heartbeat ??= setInterval(() => void this.#beat(), HEARTBEAT);
  }

  async #beat(): Promise<void> {
    for (const [tenantId, channel] of this.#channels) {
      const tenant = await this.identity.directory.tenant(tenantId).catch(() => null);
      if (!tenant || tenant.disabled) channel.end();
      else channel.beat();
    }
  }
}

/** Returns the headers of a stream: public like the poll, and buffered by no cache and no proxy. */
function headersOf(exchange: Exchange): Record<string, string> {
  return {
    ...exchange.headers,
    "access-control-allow-origin": "*",
    "content-type": "text/event-stream",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
  };
}
