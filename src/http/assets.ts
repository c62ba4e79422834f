import { sha256Base64url } from "../crypto/secrets.ts";
import { conditional, entityTag } from "./conditional.ts";
import type { Handler } from "./edge.ts";

/** A file that a page refers to. Its address contains a hash of its content. */
export interface Asset {
  /** The name in the page's source: `welcome.css`. */
  name: string;
  /** The address that serves it: `/assets/welcome-<hash>.css`. */
  path: string;
  handler: Handler;
}

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};
const HASH_LENGTH = 16;
const FOR_EVER = "public, max-age=31536000, immutable";
/** Makes browsers revalidate each time, so that after an upgrade no page refers to a stylesheet that is gone. */
const ASKED_ABOUT = "no-cache";

/**
 * Returns the asset for a text.
 * @param name with an extension, which decides the media type
 * @param text the whole file, imported `with { type: "text" }`
 * @param translate makes the served text at the first request; must be deterministic
 */
export function asset(name: string, text: string, translate?: (text: string) => string): Asset {
  const dot = name.lastIndexOf(".");
  const hash = sha256Base64url(text).slice(0, HASH_LENGTH);
  const path = `/assets/${name.slice(0, dot)}-${hash}${name.slice(dot)}`;
  if (!translate) return { name, path, handler: fileHandler(name, text, FOR_EVER) };
  let made: Handler | undefined;
  const handler: Handler = (exchange) => {
    made ??= fileHandler(name, translate(text), FOR_EVER);
    return made(exchange);
  };
  return { name, path, handler };
}

/** Serves a file at an address that stays the same when its content changes: `/favicon.svg`. */
export function fileHandler(name: string, text: string, cacheControl: string = ASKED_ABOUT): Handler {
  const type = TYPES[name.slice(name.lastIndexOf(".") + 1)];
  if (type === undefined) throw new Error(`${name} has no known media type`);
  const etag = entityTag(text);
  const headers = { "content-type": type, "cache-control": cacheControl };
  return (exchange) => conditional(exchange, text, etag, headers);
}

/**
 * Serves a page.
 * @param html the complete page
 * @param directives added to the default page policy: `{ "script-src": "'self'" }`
 */
export function pageHandler(html: string, directives: Readonly<Record<string, string>> = {}): Handler {
  const etag = entityTag(html);
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": ASKED_ABOUT,
    "content-security-policy": pagePolicy(directives),
  };
  return (exchange) => conditional(exchange, html, etag, headers);
}

/**
 * Fills a page's source with its values and the addresses of its assets. Escapes values for text and for quoted
 * attributes.
 * @throws Error for a `{{name}}` without a value and for an asset that the page does not refer to
 */
export function renderPage(
  source: string,
  values: Readonly<Record<string, string>>,
  assets: readonly Asset[] = [],
): string {
  let page = source;
  for (const { name, path } of assets) {
    if (!page.includes(`="${name}"`)) throw new Error(`the page does not refer to ${name}`);
    page = page.replaceAll(`="${name}"`, `="${path}"`);
  }
  return page.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) throw new Error(`the page has no value for ${name}`);
    return escapeHtml(value);
  });
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes text and attribute values in quotes. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/**
 * Returns a policy that allows no inline code, nothing from other origins and no framing (CSP level 3; ASVS 3.4.3,
 * 3.4.6).
 */
function pagePolicy(directives: Readonly<Record<string, string>>): string {
  const all = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    ...directives,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name} ${value}`)
    .join("; ");
}
