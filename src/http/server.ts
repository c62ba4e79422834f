import type { AnyRouter } from "@trpc/server";
import { AppError } from "../core/errors.ts";
import type { Metrics } from "../core/metrics.ts";
import type { Identity } from "../identity/identity.ts";
import type { Inbox } from "../mail/inbox.ts";
import { toEnvelope } from "../rpc/errors.ts";
import { CallFactory } from "./call-factory.ts";
import { Cookies } from "./cookies.ts";
import { Cors } from "./cors.ts";
import { devInboxHandlers } from "./dev-inbox.ts";
import type { BunRequest, Edge, Handler, HttpServer, RefusalShape } from "./edge.ts";
import { healthHandlers } from "./health.ts";
import { JWKS_PATHS, jwksHandlers } from "./jwks.ts";
import { linkPage } from "./link-page.ts";
import { localOnly } from "./local-only.ts";
import { oauthHandlers } from "./oauth/handlers.ts";
import { openApiHandler } from "./openapi.ts";
import type { PublicDocument } from "./public-document.ts";
import { publicIssuerHandler } from "./public-issuer.ts";
import { relatedOriginsHandler } from "./related-origins.ts";
import { restRoutes } from "./rest.ts";
import { RevocationStreams } from "./revocation-stream.ts";
import { revocationsHandler } from "./revocations.ts";
import { REPORT_PATH, type SelfReportOptions, selfReportHandler } from "./self-report.ts";
import { StaticDocuments } from "./static-documents.ts";
import { trpcHandler, trpcRefusal } from "./trpc.ts";
import { tryHandlers } from "./try-page.ts";
import { welcomeHandlers } from "./welcome.ts";

/** The server's own limit in bytes. It is above MAX_BODY, so that a body that is too large gets the envelope. */
const MAX_SERVER_BODY = 16 * 1024 * 1024;

type Methods = Record<string, Handler>;
type Route = (request: BunRequest, server: HttpServer) => Response | Promise<Response>;

export interface HttpOptions {
  identity: Identity;
  router: AnyRouter;
  edge: Edge;
  metrics: Metrics;
  metricsToken: string | undefined;
  /** More request headers that pages may send. */
  corsHeaders: readonly string[];
  version: string;
  /** Set only by `sallyport dev`. */
  inbox: Inbox | null;
  /** null without a report of the server on itself. */
  report: SelfReportOptions | null;
}

/** Builds the route table, on one screen. Every route under `/v1` and `/trpc` is also under `/t/<tenant-slug>`. */
export function buildRoutes(options: HttpOptions): {
  routes: Record<string, Route>;
  fetch: Route;
  /**
   * Makes a listener answer with these routes, and serve public documents by itself.
   * @returns stops the public documents
   */
  serveOn: (server: HttpServer) => Promise<() => void>;
  openMetrics: Route;
  drain: () => void;
} {
  const { identity, router, edge } = options;
  const cors = new Cors(identity, edge, options.corsHeaders);
  const calls = new CallFactory(identity, edge, new Cookies(edge.hosts.isSecure), cors);
  const jwks = jwksHandlers(identity);
  const health = healthHandlers(edge, identity.storage, options.metrics, options.metricsToken);
  const revocations = revocationsHandler(identity);
  const streams = new RevocationStreams(identity);
  options.metrics.gauge("sallyport_revocation_streams", "Open revocation streams.", () => streams.open);
  const trpc = trpcHandler(router, edge, calls);

  const table = new Map<string, Methods>();
  const add = (method: string, path: string, handler: Handler) => {
    if (table.get(path)?.[method]) throw new Error(`${method} ${path} is declared twice`);
    for (const full of [path, `/t/:tenant${path}`]) table.set(full, { ...table.get(full), [method]: handler });
  };
  for (const route of restRoutes(router, edge, calls)) add(route.method, route.path, route.handler);
  add("GET", "/trpc/*", trpc);
  add("POST", "/trpc/*", trpc);
  for (const path of JWKS_PATHS.root) add("GET", path, jwks.root);
  for (const path of JWKS_PATHS.application) add("GET", path, jwks.application);
  for (const path of JWKS_PATHS.tenant) add("GET", path, jwks.tenant);
  const oauth = oauthHandlers(identity, edge);
  add("POST", "/oauth2/token", oauth.token);
  add("POST", "/oauth2/revoke", oauth.revoke);
  add("POST", "/oauth2/introspect", oauth.introspect);
  add("GET", "/.well-known/oauth-authorization-server", oauth.metadata);
  // RFC 8414 section 3.1 puts the well-known part before the issuer's path; many clients put it after.
  table.set("/.well-known/oauth-authorization-server/t/:tenant", { GET: oauth.metadata });
  add("GET", "/.well-known/webauthn", relatedOriginsHandler(identity));
  add("POST", "/v1/tenants/:id/issuers/public/auth/token", publicIssuerHandler(identity, edge, cors));
  add("GET", "/v1/revocations", revocations);
  add("GET", "/v1/revocations/stream", streams.handler);
  add("GET", "/openapi.json", openApiHandler(router, edge, options.version));

  const link = linkPage();
  add("GET", "/link", link.page);

  // Requested only by browsers, so not under a tenant's path.
  const { inbox, version } = options;
  const issuerOf = (slug: string) => identity.directory.issuerOf(slug);
  const welcome = welcomeHandlers({ issuerOf, version, hasInbox: inbox !== null });
  for (const [path, handler] of Object.entries({ ...welcome, ...link.assets })) table.set(path, { GET: handler });
  if (inbox) {
    const pages = Object.entries(tryHandlers(identity)).map(([path, handler]) => [path, { GET: handler }] as const);
    for (const [path, methods] of [...Object.entries(devInboxHandlers(inbox, edge)), ...pages]) {
      const local = Object.entries(methods).map(([method, handler]) => [method, localOnly(handler)]);
      table.set(path, Object.fromEntries(local));
    }
  }

  const routes: Record<string, Route> = {};
  for (const [path, methods] of table) {
    routes[path] = byMethod(edge, cors, methods, methods.POST === trpc ? trpcRefusal : undefined);
  }
  // Probes use the address instead of a host name.
  routes["/healthz"] = edge.guard(health.healthz, { anyHost: true });
  routes["/readyz"] = edge.guard(health.readyz, { anyHost: true });
  routes["/metrics"] = edge.guard(health.metrics, { anyHost: true });
  if (options.report) routes[REPORT_PATH] = edge.guard(selfReportHandler(identity, edge, options.report));
  const unknown = edge.guard(async (exchange) => {
    // A browser shows a page the 404 only after it has allowed the request.
    if (exchange.request.method === "OPTIONS" && exchange.request.headers.has("origin"))
      return cors.preflight(exchange);
    await cors.markForAnyApplication(exchange);
    throw new AppError("not_found");
  });
  const serveOn = async (server: HttpServer) => {
    const serve = (documents: ReadonlyMap<string, PublicDocument>) => {
      const all = { ...routes, ...staticRoutes(edge, routes, documents) };
      server.reload({ ...listenerOptions, routes: all, fetch: unknown } as never);
    };
    const documents = new StaticDocuments(edge.mayAnswerAlone ? jwks.documents : [], identity.clock, serve);
    const silence = identity.keyring.onChange(() => documents.withdraw());
    await documents.start();
    return () => {
      silence();
      documents.stop();
    };
  };
  return {
    routes,
    fetch: unknown,
    serveOn,
    openMetrics: edge.guard(health.openMetrics, { anyHost: true }),
    drain: () => {
      health.drain();
      streams.drain();
    },
  };
}

/**
 * The listener's own options. Outside development mode, Bun shows no error page, which would send
 * source code to anyone. Bun also turns `reusePort` on there, so that a second process would silently take half of the
 * requests. `error` answers an exception that no handler can catch with the usual error envelope.
 */
export const listenerOptions = {
  maxRequestBodySize: MAX_SERVER_BODY,
  development: false,
  reusePort: false,
  error: () => {
    const body = toEnvelope(new AppError("internal_error"), crypto.randomUUID());
    return Response.json(body, { status: 500, headers: { "cache-control": "no-store" } });
  },
} as const;

/** Every method that the listener knows except GET and HEAD, which it answers by itself. */
const OTHER_METHODS = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] as const;

/**
 * Returns answers that are the same for everyone, with the headers of the edge. They check no Host, and are not
 * counted, logged or given a request id: public documents reveal nothing and identify nobody.
 */
function staticRoutes(edge: Edge, routes: Record<string, Route>, documents: ReadonlyMap<string, PublicDocument>) {
  const fixed: Record<string, Record<string, Route | Response>> = {};
  for (const [path, { body, etag, headers }] of documents) {
    const handler = routes[path];
    if (!handler) continue;
    const others = Object.fromEntries(OTHER_METHODS.map((method) => [method, handler]));
    fixed[path] = { ...others, GET: new Response(body, { headers: { ...edge.securityHeaders, ...headers, etag } }) };
  }
  return fixed;
}

/** @param shape gives a refusal the form that the callers of this address read */
function byMethod(edge: Edge, cors: Cors, methods: Methods, shape?: RefusalShape): Route {
  const allow = [...Object.keys(methods).flatMap((name) => (name === "GET" ? ["GET", "HEAD"] : name)), "OPTIONS"].join(
    ", ",
  );
  const options = shape === undefined ? {} : { shape };
  const refuse = edge.guard(async (exchange) => {
    // Made only here: each of them takes 50 µs, and there are a hundred routes.
    const choice = new Intl.ListFormat("en", { type: "disjunction" }).format(Object.keys(methods));
    exchange.headers.allow = allow;
    await cors.markForAnyApplication(exchange);
    throw new AppError("method_not_allowed", { message: `Use ${choice} for this address.` });
  }, options);
  const guarded: Record<string, Route> = { OPTIONS: edge.guard((exchange) => cors.preflight(exchange, allow)) };
  for (const [method, handler] of Object.entries(methods)) guarded[method] = edge.guard(handler, options);
  if (guarded.GET) guarded.HEAD = guarded.GET;
  return (request, server) => (guarded[request.method] ?? refuse)(request, server);
}
