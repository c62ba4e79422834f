import { conditional, entityTag } from "./conditional.ts";
import type { Exchange } from "./edge.ts";

/** Public documents: any page may read them, any cache may keep them. */
const PUBLIC = { "access-control-allow-origin": "*", "content-type": "application/json" };

export interface PublicDocument {
  body: string;
  etag: string;
  headers: Record<string, string>;
}

/** @param maxAge seconds */
export function publicDocument(value: unknown, maxAge: number): PublicDocument {
  const body = JSON.stringify(value);
  return { body, etag: entityTag(body), headers: { ...PUBLIC, "cache-control": `public, max-age=${maxAge}` } };
}

/** JSON that anybody may cache, answered 304 to who has it already (RFC 9110 section 13.1.2). */
export function publicJson(exchange: Exchange, document: PublicDocument): Response {
  return conditional(exchange, document.body, document.etag, document.headers);
}
