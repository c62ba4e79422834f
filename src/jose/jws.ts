import { decodeBase64url, decodeText, hasCleanEnd, isBase64url } from "./base64url.ts";
import { JwsError } from "./error.ts";
import { type Members, parseUniqueObject } from "./json.ts";

/** Not to be believed before the signature was verified. `jku`, `jwk`, `x5u` and `x5c` are as good as absent. */
export type JwsHeader = Members & { readonly alg: string; readonly kid?: string };

/** A compact JWS (RFC 7515 section 7.1), taken apart and not yet believed. */
export interface ParsedJws {
  readonly header: JwsHeader;
  /** Header and payload with the dot between them, in ASCII: the signature covers these bytes. */
  readonly signed: string;
  /** base64url. */
  readonly payload: string;
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** Characters. A longer token, or a token with a longer header, is refused before it is looked into. */
export const MAX_TOKEN_LENGTH = 8_192;
const MAX_HEADER_LENGTH = 1_024;

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;
/** RFC 9068 section 4, RFC 8725 section 3.11: a logout token or a DPoP proof is not taken for another kind of token. */
const TYPES = /^(?:application\/)?(?:at\+)?jwt$/i;

/** Parsed headers by their text, since each signing key writes the same header again and again. Emptied when it is full. */
export type KnownHeaders = Map<string, JwsHeader>;
const MAX_KNOWN = 64;

/**
 * Takes a compact JWS apart, verifying nothing. Strict: three non-empty parts (a detached or empty payload is refused), the
 * one canonical base64url of each, a header that is a JSON object without repeated members. `crit` and `b64` are refused,
 * for no extension is understood here (RFC 7515 section 4.1.11, RFC 7797).
 * @throws JwsError
 */
export function parseJws(token: string, known?: KnownHeaders): ParsedJws {
  if (token.length > MAX_TOKEN_LENGTH) throw new JwsError("The token is too long.");
  const parts = COMPACT.exec(token);
  if (!parts) throw new JwsError("The token is not three parts in base64url.");
  const [, head = "", payload = "", signature = ""] = parts;
  if (!hasCleanEnd(payload) || !hasCleanEnd(signature)) throw new JwsError("A part is not canonical base64url.");
  const header = known?.get(head) ?? parseHeader(head, known);
  const signed = token.slice(0, head.length + 1 + payload.length);
  return { header, signed, payload, signature: decodeBase64url(signature) };
}

function parseHeader(part: string, known: KnownHeaders | undefined): JwsHeader {
  if (part.length > MAX_HEADER_LENGTH) throw new JwsError("The header is too long.");
  const text = isBase64url(part) ? decodeText(part) : null;
  const header = text === null ? null : parseUniqueObject(text);
  if (header === null) throw new JwsError("The header is not a JSON object, or repeats a member.");
  if (Object.hasOwn(header, "crit") || Object.hasOwn(header, "b64")) {
    throw new JwsError("The header asks for an extension (crit, b64).");
  }
  if (!isHeader(header)) throw new JwsError("The header's alg, kid or typ is missing or of a wrong type.");
  if (known) {
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(part, Object.freeze(header));
  }
  return header;
}

function isHeader(header: Members): header is JwsHeader {
  const { kid, typ } = header;
  if (typeof header.alg !== "string" || (kid !== undefined && typeof kid !== "string")) return false;
  return typ === undefined || (typeof typ === "string" && TYPES.test(typ));
}
