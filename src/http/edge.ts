import type { Server } from "bun";
import type { RequestOrigin } from "../core/caller.ts";
import type { Clock } from "../core/clock.ts";
import { AppError } from "../core/errors.ts";
import { clientHop } from "../core/forwarded.ts";
import type { Log } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";
import { type NetworkList, networkOf, parseAddress } from "../core/network.ts";
import type { OwnHosts } from "../core/own-hosts.ts";
import { RecentMap } from "../core/recent-map.ts";
import { ThrottledLog } from "../core/throttled-log.ts";
import { toAppError, toEnvelope } from "../rpc/errors.ts";
import { faultOf, reasonOf } from "../storage/errors.ts";
import type { AnsweredRequest, RequestLog } from "./request-log.ts";
import { pathOf } from "./request-target.ts";

export type Hsts = "off" | "host" | "subdomains";

/** RFC 6797 section 6.1.2: `includeSubDomains` binds every host below, also those of other servers. */
const HSTS: Record<Hsts, Record<string, string>> = {
  off: {},
  host: { "strict-transport-security": "max-age=63072000" },
  subdomains: { "strict-transport-security": "max-age=63072000; includeSubDomains" },
};

export interface EdgeOptions {
  hosts: OwnHosts;
  trustedProxies: NetworkList;
  /** The header in which trusted proxies name the client, in lower case. */
  clientAddressHeader: string;
  /** The hosts that browsers are told to call by https only, if the public URL is https. */
  hsts: Hsts;
  clock: Clock;
  log: Log;
  /** null if requests are not logged. */
  requestLog: RequestLog | null;
  metrics: Metrics;
}

export type HttpServer = Server<unknown>;

/** A request that has passed the edge. */
export interface Exchange {
  request: BunRequest;
  server: HttpServer;
  origin: RequestOrigin;
  /** From the path `/t/<slug>/…`, otherwise from the Host. */
  tenantSlug: string | null;
  /** Headers of the answer: those of the edge, and those that handlers add. */
  headers: Record<string, string>;
  /** Whether a handler has read {@link headers} and may have added some. */
  readonly hasHeaders: boolean;
  setCookies: string[];
  /** For the log: the application of the request. */
  applicationId: string | null;
  /** For the log: the reason for a refusal. */
  error: AppError | null;
  /** For the log: resolves when a streamed answer has ended, with the side that ended it. */
  ending: Promise<"client" | "server"> | null;
}
export type BunRequest = Request & { params?: Record<string, string> };
/** Returns the body of a refusal that no handler has answered. */
export type RefusalShape = (exchange: Exchange, error: AppError) => unknown;
export type Handler = (exchange: Exchange) => Response | Promise<Response>;

type ClientAddress = Pick<RequestOrigin, "address" | "network">;

const USER_AGENT_LENGTH = 256;
/** The most peers whose address is remembered. */
const PEERS = 10_000;

/**
 * Handles every request first and every answer last: Host rules, the client's address, request ids, security headers.
 */
export class Edge {
  readonly #peers = new RecentMap<ClientAddress>(PEERS);
  readonly #refusals: ThrottledLog;
  #unreadable: string | null = null;
  readonly #security: Record<string, string>;
  readonly #jsonHeaders: Headers;
  readonly #count: (labels: string) => void;
  readonly #observe: (seconds: number) => void;

  constructor(private readonly options: EdgeOptions) {
    this.#refusals = new ThrottledLog(options.log);
    this.#security = {
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      ...(options.hosts.isSecure ? HSTS[options.hsts] : {}),
    };
    this.#jsonHeaders = new Headers({ ...this.#security, "content-type": "application/json" });
    this.#count = options.metrics.labelled("sallyport_http_requests_total", "Requests answered, by status.");
    const bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
    this.#observe = options.metrics.histogram("sallyport_http_seconds", "Seconds until the answer was ready.", bounds);
  }

  /** The headers that every answer carries. */
  get securityHeaders(): Readonly<Record<string, string>> {
    return this.#security;
  }

  /**
   * Whether the listener may serve some answers without a handler: no Host names another tenant, and no log takes every
   * request.
   */
  get mayAnswerAlone(): boolean {
    return !this.options.hosts.hasTenants && this.options.requestLog === null;
  }

  get hosts(): OwnHosts {
    return this.options.hosts;
  }

  /**
   * Wraps a handler. The handler gets no request that the edge refuses, and anything that it throws becomes the
   * envelope, or the form that `shape` gives it.
   */
  guard(
    handler: Handler,
    options: { anyHost?: boolean; shape?: RefusalShape } = {},
  ): (request: BunRequest, server: HttpServer) => Response | Promise<Response> {
    return (request, server) => {
      const started = performance.now();
      const requestId = crypto.randomUUID();
      const origin = new Origin(requestId, request, () => this.#clientOf(request, server));
      const exchange = new OpenExchange(request, server, origin, this.#security);
      const finish = (response: Response): Response => {
        for (const cookie of exchange.setCookies) response.headers.append("set-cookie", cookie);
        this.#count(STATUS_LABELS[response.status] ?? `status="${response.status}"`);
        const seconds = (performance.now() - started) / 1_000;
        this.#observe(seconds);
        if (this.options.requestLog) logRequest(this.options.requestLog, exchange, response.status, started);
        return response;
      };
      const fail = (error: unknown) => finish(this.fail(exchange, error, options.shape));
      try {
        const slug = options.anyHost ? null : this.#checkHost(request);
        const inPath = request.params?.tenant;
        // A tenant's own host serves no other tenant: the two would share an origin, and thus cookies.
        if (slug !== null && inPath !== undefined && inPath !== slug) throw new AppError("misdirected_request");
        exchange.tenantSlug = inPath ?? slug;
        const response = handler(exchange);
        return response instanceof Promise ? response.then(finish, fail) : finish(response);
      } catch (error) {
        return fail(error);
      }
    };
  }

  /** Answers JSON with the headers of the edge. */
  json(exchange: Exchange, status: number, body: unknown): Response {
    return this.text(exchange, status, JSON.stringify(body));
  }

  /** Like {@link json}, for a body that is already JSON text. */
  text(exchange: Exchange, status: number, body: string): Response {
    if (!exchange.hasHeaders) {
      // Copying Headers that were built once takes half as long as building them again.
      const headers = new Headers(this.#jsonHeaders);
      headers.set("x-request-id", exchange.origin.requestId);
      return new Response(body, { status, headers });
    }
    exchange.headers["content-type"] = "application/json";
    return new Response(body, { status, headers: exchange.headers });
  }

  /** Answers with the error envelope. The cause goes to the log with the request id. */
  fail(exchange: Exchange, thrown: unknown, shape?: RefusalShape): Response {
    const error = this.report(exchange, thrown);
    const body = shape ? shape(exchange, error) : toEnvelope(error, exchange.origin.requestId);
    return this.json(exchange, error.status, body);
  }

  /** Logs an undeclared error, and sets the headers of an error. */
  report(exchange: Exchange, thrown: unknown): AppError {
    const error = toAppError(thrown);
    exchange.error ??= error;
    const { requestId } = exchange.origin;
    if (error.status >= 500) {
      const path = pathOf(exchange.request.url);
      const fields = { request_id: requestId, code: error.code, path };
      if (error.code === "storage_unavailable") {
        this.#refusals.error(faultOf(error.cause), { ...fields, reason: reasonOf(error.cause) }, error.message);
      } else this.options.log.error({ ...fields, err: error.cause ?? error }, error.message);
    }
    if (error.retryAfter !== undefined) exchange.headers["retry-after"] = String(error.retryAfter);
    if (error.status === 401 || error.challenge !== undefined) {
      exchange.headers["www-authenticate"] = error.challenge ?? challengeOf(error);
    }
    return error;
  }

  /**
   * Refuses a request whose addresses disagree, although issuer and links come from configuration: two Host headers
   * (they arrive as one, with a comma), an absolute-form authority that differs from Host, a path that begins with two
   * slashes, or a Host that is not configured.
   */
  #checkHost(request: Request): string | null {
    const host = request.headers.get("host");
    const slug = host === null ? undefined : this.options.hosts.slugOf(host);
    if (host === null || slug === undefined) throw new AppError("misdirected_request");
    const { url } = request;
    const authority = url.indexOf("//") + 2;
    const path = url.indexOf("/", authority);
    if (path !== -1 && (path - authority !== host.length || !url.startsWith(host, authority))) {
      if (!this.options.hosts.areSame(url.slice(authority, path), host)) throw new AppError("misdirected_request");
    }
    if (url.charCodeAt(path + 1) === 47) throw new AppError("misdirected_request");
    return slug;
  }

  /**
   * Remembers the parsed address, because parsing takes longer than a look-up and a connection brings many requests.
   */
  #peer(peer: string): ClientAddress {
    const known = this.#peers.get(peer);
    if (known) return known;
    const client = this.#client(peer, null);
    this.#peers.set(peer, client);
    return client;
  }

  #client(peer: string, forwarded: string | null): ClientAddress {
    const { trustedProxies, clientAddressHeader: name } = this.options;
    const { address, unreadable } = clientHop(peer, { name, value: forwarded }, trustedProxies);
    if (unreadable !== null) this.#tellUnreadable(peer, unreadable);
    return { address, network: networkOf(address) };
  }

  #clientOf(request: Request, server: HttpServer): ClientAddress {
    const peer = server.requestIP(request)?.address ?? "";
    const forwarded = request.headers.get(this.options.clientAddressHeader);
    return forwarded === null ? this.#peer(peer) : this.#client(peer, forwarded);
  }

  /** Tells how the server sees a client, for its own report. */
  clientFacts({ request, server, origin }: Exchange) {
    const peer = server.requestIP(request)?.address ?? "";
    return {
      address: origin.address,
      peer,
      is_trusted: this.options.trustedProxies.has(parseAddress(peer) ?? peer),
      has_header: request.headers.has(this.options.clientAddressHeader),
      unreadable: this.#unreadable,
    };
  }

  /** Logs once: the proxy sends the same form with every request. */
  #tellUnreadable(proxy: string, hop: string): void {
    if (this.#unreadable !== null) return;
    this.#unreadable = hop;
    this.options.log.warn(
      { proxy, header: this.options.clientAddressHeader, hop },
      "A trusted proxy names a client in a form that is not an address. Its clients share one rate limit. " +
        "Let the proxy write IP addresses, or set client_address_header to the header in which it does.",
    );
  }
}

function logRequest(log: RequestLog, exchange: Exchange, status: number, started: number): void {
  const { request, origin, applicationId, error, ending } = exchange;
  const elapsed = () => Math.round((performance.now() - started) * 1e3) / 1e3;
  const answered = (isOpen: boolean): AnsweredRequest => ({
    requestId: origin.requestId,
    method: request.method,
    path: pathOf(request.url),
    status,
    ms: elapsed(),
    address: origin.address,
    page: request.headers.get("origin"),
    applicationId,
    error,
    isOpen,
  });
  log.answered(answered(ending !== null));
  void ending?.then((closedBy) => log.closed({ ...answered(false), closedBy }));
}

class OpenExchange implements Exchange {
  tenantSlug: string | null = null;
  readonly setCookies: string[] = [];
  applicationId: string | null = null;
  error: AppError | null = null;
  ending: Promise<"client" | "server"> | null = null;
  #headers: Record<string, string> | undefined;

  constructor(
    readonly request: BunRequest,
    readonly server: HttpServer,
    readonly origin: RequestOrigin,
    private readonly security: Readonly<Record<string, string>>,
  ) {}

  get headers(): Record<string, string> {
    this.#headers ??= { ...this.security, "x-request-id": this.origin.requestId };
    return this.#headers;
  }

  get hasHeaders(): boolean {
    return this.#headers !== undefined;
  }
}

/** The source of a request. Works out each part only when it is needed: a read needs none. */
class Origin implements RequestOrigin {
  #client: ClientAddress | undefined;

  constructor(
    readonly requestId: string,
    private readonly request: Request,
    private readonly find: () => ClientAddress,
  ) {}

  get address(): string {
    this.#client ??= this.find();
    return this.#client.address;
  }

  get network(): string {
    this.#client ??= this.find();
    return this.#client.network;
  }

  get userAgent(): string | null {
    return this.request.headers.get("user-agent")?.slice(0, USER_AGENT_LENGTH) ?? null;
  }

  get languages(): string | null {
    return this.request.headers.get("accept-language");
  }
}

const STATUS_LABELS: Record<number, string> = {};
for (let status = 200; status < 600; status++) STATUS_LABELS[status] = `status="${status}"`;

/** RFC 6750 section 3: a request without a credential gets no error code. */
function challengeOf(error: AppError): string {
  if (error.code === "token_expired" || error.code === "token_revoked") return 'Bearer error="invalid_token"';
  return "Bearer";
}
