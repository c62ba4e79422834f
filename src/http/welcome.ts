import page from "../../web/welcome/index.html" with { type: "text" };
import mark from "../../web/welcome/mark.svg" with { type: "text" };
import style from "../../web/welcome/welcome.css" with { type: "text" };
import { DEFAULT_TENANT_SLUG } from "../identity/tenants/tenant.ts";
import { asset, fileHandler, pageHandler, renderPage } from "./assets.ts";
import { conditional, entityTag } from "./conditional.ts";
import type { Handler } from "./edge.ts";
import { kitStylesheet } from "./kit.ts";

interface WelcomeOptions {
  /** Returns a tenant's address by its slug, from configuration. */
  issuerOf(slug: string): string;
  version: string;
  /** Whether mails are caught, as in `sallyport dev`. */
  hasInbox: boolean;
}

/** Parts of the page that only `sallyport dev` shows. */
const DEV_ONLY = /<!-- dev -->[\s\S]*?<!-- \/dev -->/g;

/**
 * Serves the page at the appliance's own address: the version that runs here, and first steps. Strangers see it too, also in
 * production, so it shows only the configured address and the version, which the API description has too.
 * @returns GET handlers by path
 */
export function welcomeHandlers({ issuerOf, version, hasInbox }: WelcomeOptions): Record<string, Handler> {
  const stylesheets = [kitStylesheet(), asset("welcome.css", style)];
  const source = hasInbox ? page : page.replaceAll(DEV_ONLY, "");
  const bySlug = new Map<string, { html: Handler; json: Handler }>();
  const welcomeOf = (slug: string) => {
    let welcome = bySlug.get(slug);
    if (!welcome) {
      const base = issuerOf(slug);
      const html = pageHandler(renderPage(source, { base_url: base, version }, stylesheets));
      welcome = { html, json: summaryHandler(base, issuerOf(DEFAULT_TENANT_SLUG), version, hasInbox) };
      // Only configured Hosts have a slug here, so requests cannot make this map grow.
      bySlug.set(slug, welcome);
    }
    return welcome;
  };
  return {
    "/": (exchange) => {
      // Caches must keep the two variants apart, including a 304.
      exchange.headers.vary = "accept";
      const welcome = welcomeOf(exchange.tenantSlug ?? DEFAULT_TENANT_SLUG);
      const { html, json } = welcome;
      return prefersHtml(exchange.request.headers.get("accept")) ? html(exchange) : json(exchange);
    },
    ...Object.fromEntries(stylesheets.map(({ path, handler }) => [path, handler])),
    "/favicon.svg": fileHandler("mark.svg", mark),
    // Browsers that got JSON ask for this address. They can show the SVG too.
    "/favicon.ico": (exchange) => {
      exchange.headers.location = "/favicon.svg";
      return new Response(null, { status: 308, headers: exchange.headers });
    },
  };
}

function summaryHandler(base: string, publicUrl: string, version: string, hasInbox: boolean): Handler {
  const links = {
    api_description: `${base}/openapi.json`,
    public_keys: `${base}/.well-known/jwks.json`,
    health: `${publicUrl}/healthz`,
    ...(hasInbox ? { inbox: `${publicUrl}/dev/inbox` } : {}),
  };
  const text = JSON.stringify({ name: "Sallyport", version, links });
  const etag = entityTag(text);
  const headers = { "content-type": "application/json", "cache-control": "no-cache" };
  return (exchange) => conditional(exchange, text, etag, headers);
}

/** Whether the caller is a browser: browsers name `text/html`, and programs send `*` (RFC 9110 section 12.5.1). */
function prefersHtml(accept: string | null): boolean {
  const weights = new Map<string, number>();
  for (const range of accept?.toLowerCase().split(",") ?? []) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    const q = parameters.find((parameter) => parameter.startsWith("q="));
    weights.set(type, q === undefined ? 1 : Number(q.slice(2)) || 0);
  }
  const html = weights.get("text/html") ?? 0;
  return html > 0 && html >= (weights.get("application/json") ?? 0);
}
