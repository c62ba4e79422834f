import { sha256Base64url } from "../crypto/secrets.ts";
import type { Exchange } from "./edge.ts";

/** Returns a strong tag: the same for the same bytes on every node and after every restart (RFC 9110 section 8.8.3). */
export function entityTag(body: string): string {
  return `"${sha256Base64url(body)}"`;
}

/**
 * Answers with a body, or with 304 and no body if the caller already has it (RFC 9110 section 13.1.2). The given
 * headers override those of the edge.
 */
export function conditional(
  exchange: Exchange,
  body: string,
  etag: string,
  headers: Readonly<Record<string, string>>,
): Response {
  const all = { ...exchange.headers, ...headers, etag };
  const known = exchange.request.headers.get("if-none-match");
  if (known !== null && (known === "*" || known.split(/ *, */).some((tag) => tag.replace(/^W\//, "") === etag))) {
    return new Response(null, { status: 304, headers: all });
  }
  return new Response(body, { headers: all });
}
