import { sha256Base64url } from "../crypto/secrets.ts";
import { conditional, entityTag } from "./conditional.ts";
import type { Handler } from "./edge.ts";

/** A file that a page refers to, under an address made of its content. */
export interface Asset {
  /** As the page's source refers to it: `welcome.css`. */
  name: string;
  /** Where it is served: `/assets/welcome-<hash>.css`. */
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
/** Kept, but asked about each time: after an upgrade no page refers to a stylesheet that is gone. */
const ASKED_ABOUT = "no-cache";

/**
 * @param name with the extension that says its type
 * @param text the whole file, imported `with { type: "text" }`
 * @param translate what is served of it, made when it is first asked for; always the same for the same text
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

/** A file under an address that stays the same when its content changes: `/favicon.svg`. */
export function fileHandler(name: string, text: string, cacheControl: string = ASKED_ABOUT): Handler {
  const type = TYPES[name.slice(name.lastIndexOf(".") + 1)];
  if (type === undefined) throw new Error(`${name}: no media type is known for it`);
  const etag = entityTag(text);
  const headers = { "content-type": type, "cache-control": cacheControl };
  return (exchange) => conditional(exchange, text, etag, headers);
}

/**
 * @param html the page, complete
 * @param directives what it needs beside the page policy's own: `{ "script-src": "'self'" }`
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
 * A page's source with its values and the addresses of its assets. Values are escaped, for text and for quoted attributes.
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

/** For text and for attribute values in quotes. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/** Nothing inline, nothing from elsewhere, in nobody's frame (CSP level 3; ASVS 3.4.3, 3.4.6). */
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
