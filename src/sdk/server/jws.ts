/** A compact JWS (RFC 7515 section 7.1), taken apart and not yet believed. */
export interface CompactJws {
  alg: string;
  kid: string | undefined;
  /** Header and payload with the dot between them: what the signature covers. */
  signed: string;
  /** base64url. */
  payload: string;
  signature: Uint8Array<ArrayBuffer>;
}

/** Characters. Beyond any token of ours, below what HTTP servers take in a header; checked before anything is parsed. */
export const MAX_TOKEN_LENGTH = 16_384;

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)\.([A-Za-z0-9_-]+)$/;

interface Header {
  alg: string;
  kid: string | undefined;
}

/** Headers repeat, one a signing key: what each parsed to, by its text. At most 64 entries; emptied when they are many. */
export type KnownHeaders = Map<string, Header>;

/**
 * Strict: no JSON serialisation, no padding, no white space, no non-canonical base64url (a second spelling of the same
 * token would dodge a comparison by digest), no `crit`, no `b64`. Of the header only `alg`, `kid` and `typ` are read: `jku`,
 * `jwk`, `x5u` and `x5c` let a token bring its own key, and are as good as absent.
 * @returns null for anything else.
 */
export function parseCompact(token: string, known: KnownHeaders): CompactJws | null {
  if (token.length > MAX_TOKEN_LENGTH) return null;
  const parts = COMPACT.exec(token);
  if (!parts) return null;
  const [, headerPart = "", payload = "", signaturePart = ""] = parts;
  if (!isCanonical(payload) || !isCanonical(signaturePart)) return null;
  const header = known.get(headerPart) ?? parseHeader(headerPart, known);
  if (!header) return null;
  const signed = token.slice(0, headerPart.length + 1 + payload.length);
  return { alg: header.alg, kid: header.kid, signed, payload, signature: decodeBytes(signaturePart) };
}

/** The payload as a JSON object. @returns null when it is not valid UTF-8, not JSON, or not an object. */
export function parsePayload(payload: string): Record<string, unknown> | null {
  return parseObject(payload);
}

function parseHeader(part: string, known: KnownHeaders): Header | null {
  if (!isCanonical(part)) return null;
  const header = parseObject(part);
  if (!header) return null;
  const { alg, kid, typ } = header;
  if (typeof alg !== "string" || Object.hasOwn(header, "crit") || Object.hasOwn(header, "b64")) return null;
  if (kid !== undefined && (typeof kid !== "string" || kid.length > 256)) return null;
  if (typ !== undefined && (typeof typ !== "string" || !/^(?:application\/)?(?:at\+)?jwt$/i.test(typ))) return null;
  const parsed = { alg, kid };
  if (known.size >= 64) known.clear();
  if (part.length <= 512) known.set(part, parsed);
  return parsed;
}

/** Strict UTF-8: replacement characters would make two different byte strings the same claim. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

function parseObject(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(utf8.decode(decodeBytes(part)));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** The alphabet is known to be right; this checks the length and that the last character's unused bits are zero. */
function isCanonical(part: string): boolean {
  const left = part.length % 4;
  if (left === 0) return true;
  const last = part.charAt(part.length - 1);
  return left === 2 ? "AQgw".includes(last) : left === 3 && "AEIMQUYcgkosw048".includes(last);
}

const buffer = (globalThis as { Buffer?: typeof Buffer }).Buffer;

function decodeBytes(part: string): Uint8Array<ArrayBuffer> {
  if (buffer) return buffer.from(part, "base64url");
  const binary = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
