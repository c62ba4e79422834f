import { conditional, entityTag } from "./conditional.ts";
import type { Exchange } from "./edge.ts";

/** Headers of public documents: any page may read them, and any cache may keep them. */
const PUBLIC = { "access-control-allow-origin": "*", "content-type": "application/json" };

export interface PublicDocument {
  body: string;
  etag: string;
  headers: Record<string, string>;
}

/**
 * Builds a public document.
 * @param maxAge seconds
 */
export function publicDocument(value: unknown, maxAge: number): PublicDocument {
  const body = JSON.stringify(value);
  return { body, etag: entityTag(body), headers: { ...PUBLIC, "cache-control": `public, max-age=${maxAge}` } };
}

/** Answers with a public document, or with 304 if the caller already has it (RFC 9110 section 13.1.2). */
export function publicJson(exchange: Exchange, document: PublicDocument): Response {
  return conditional(exchange, document.body, document.etag, document.headers);
}
