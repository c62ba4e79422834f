import { AppError } from "../core/errors.ts";
import type { Application } from "../identity/applications/application.ts";
import type { Identity } from "../identity/identity.ts";
import { DEFAULT_TENANT_SLUG } from "../identity/tenants/tenant.ts";
import type { Edge, Exchange } from "./edge.ts";

const METHODS = "GET, POST, PATCH, PUT, DELETE";
const ALLOWED =
  "authorization, content-type, x-application-id, idempotency-key, last-event-id, trpc-accept, trpc-batch-mode, x-trpc-source";
const EXPOSED = "x-request-id, retry-after, www-authenticate";

/**
 * Decides which pages may read an answer. A preflight does not carry x-application-id, so its answer allows the union
 * of all origins. The request itself is checked against its own application.
 */
export class Cors {
  readonly #headers: string;

  constructor(
    private readonly identity: Pick<Identity, "directory">,
    private readonly edge: Edge,
    /** More headers that pages may send. */
    moreHeaders: readonly string[],
  ) {
    this.#headers = [ALLOWED, ...moreHeaders].join(", ");
  }

  /**
   * Answers OPTIONS.
   * @param methods those of this address; by default all, for an unknown address, whose 404 the page may read
   * @throws AppError `origin_not_allowed`
   */
  async preflight(exchange: Exchange, methods = METHODS): Promise<Response> {
    const origin = exchange.request.headers.get("origin");
    exchange.headers.vary = "origin";
    if (origin === null) return new Response(null, { status: 204, headers: { ...exchange.headers, allow: methods } });
    if (!(await this.#isKnown(exchange, origin))) {
      exchange.applicationId = await this.#defaultApplication(exchange.tenantSlug);
      throw new AppError("origin_not_allowed");
    }
    this.#allow(exchange, origin);
    Object.assign(exchange.headers, {
      "access-control-allow-methods": methods,
      "access-control-allow-headers": this.#headers,
      "access-control-max-age": "600",
    });
    return new Response(null, { status: 204, headers: exchange.headers });
  }

  /** Lets a page of any application of the tenant read an answer that is the same for all. */
  async markForAnyApplication(exchange: Exchange): Promise<void> {
    const origin = exchange.request.headers.get("origin");
    if (origin === null) return;
    exchange.headers.vary = "origin";
    if (await this.#isKnown(exchange, origin)) this.#allow(exchange, origin);
  }

  /** Lets the page read the answer if the application lists its origin. */
  async mark(exchange: Exchange, origin: string | null, application: () => Promise<Application | null>): Promise<void> {
    if (origin === null) return;
    exchange.headers.vary = "origin";
    const resolved = await application();
    const slug = resolved?.tenant.slug ?? exchange.tenantSlug ?? DEFAULT_TENANT_SLUG;
    if (this.edge.hosts.isOwnOrigin(origin, slug) || resolved?.origins.has(origin)) this.#allow(exchange, origin);
  }

  async #isKnown(exchange: Exchange, origin: string): Promise<boolean> {
    const slug = exchange.tenantSlug ?? DEFAULT_TENANT_SLUG;
    if (this.edge.hosts.isOwnOrigin(origin, slug)) return true;
    return (await this.identity.directory.origins(exchange.tenantSlug)).has(origin);
  }

  /** Returns the default application for the log, because a preflight does not name its application. */
  async #defaultApplication(tenantSlug: string | null): Promise<string | null> {
    try {
      return (await this.identity.directory.resolve({ header: null, tenantSlug })).id;
    } catch {
      return null;
    }
  }

  #allow(exchange: Exchange, origin: string): void {
    exchange.headers["access-control-allow-origin"] = origin;
    exchange.headers["access-control-allow-credentials"] = "true";
    exchange.headers["access-control-expose-headers"] = EXPOSED;
  }
}
