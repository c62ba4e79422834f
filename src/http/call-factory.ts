import type { Application } from "../identity/applications/application.ts";
import type { Identity } from "../identity/identity.ts";
import type { Call } from "../rpc/call.ts";
import type { Cookies } from "./cookies.ts";
import type { Cors } from "./cors.ts";
import type { Edge, Exchange } from "./edge.ts";
import { pathOf } from "./request-target.ts";

/** Turns requests into calls, and the replies of calls into headers, for both transports. */
export class CallFactory {
  constructor(
    private readonly identity: Pick<Identity, "directory">,
    private readonly edge: Edge,
    private readonly cookies: Cookies,
    private readonly cors: Cors,
  ) {}

  open(exchange: Exchange, transport: Call["transport"]): Call {
    const { headers } = exchange.request;
    const cookies = this.cookies;
    const edge = this.edge;
    return {
      origin: exchange.origin,
      page: { origin: headers.get("origin"), site: headers.get("sec-fetch-site") },
      hints: { header: headers.get("x-application-id"), tenantSlug: exchange.tenantSlug },
      authorization: headers.get("authorization"),
      clientAddress: headers.get("x-client-address"),
      idempotencyKey: headers.get("idempotency-key"),
      transport,
      resolved: null,
      cookies: (application) => cookies.read(headers.get("cookie"), application),
      isOwnOrigin: (origin, application) => edge.hosts.isOwnOrigin(origin, application.tenant.slug),
      reply: { cookies: [] },
    };
  }

  /**
   * Runs after the procedures, whether they answered or threw. Only a request from a page makes it return a promise.
   */
  close(exchange: Exchange, call: Call): Promise<void> | undefined {
    exchange.applicationId = call.resolved?.id ?? null;
    const tenant = exchange.request.params?.tenant;
    const prefix = tenant === undefined ? "" : `/t/${tenant}`;
    if (call.reply.cookies.length > 0) this.#setCookies(exchange, call, prefix);
    if (call.page.origin === null) return undefined;
    return this.cors.mark(exchange, call.page.origin, async () => call.resolved ?? (await this.#hinted(call)));
  }

  #setCookies(exchange: Exchange, call: Call, prefix: string): void {
    const { headers, url } = exchange.request;
    const at = { path: pathOf(url), host: (headers.get("host") ?? "").replace(/:\d+$/, "") };
    for (const change of call.reply.cookies) {
      exchange.setCookies.push(...this.cookies.strays(change, prefix, headers.get("cookie"), at));
      exchange.setCookies.push(...this.cookies.render(change, prefix));
    }
  }

  /** Finds the application that a refused request names, so that its page may read the error. */
  async #hinted(call: Call): Promise<Application | null> {
    try {
      return await this.identity.directory.resolve(call.hints);
    } catch {
      return null;
    }
  }
}
