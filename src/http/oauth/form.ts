import { AppError } from "../../core/errors.ts";
import { OAuthError } from "../../identity/clients/oauth-error.ts";
import { readBytes } from "../body.ts";

const FORM_TYPE = /^application\/x-www-form-urlencoded(?: *; *charset="?utf-8"?)? *$/i;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads the parameters of an OAuth request. Refuses a repeated parameter, because two readers could disagree on the
 * value that counts. Treats a parameter without a value as omitted, and ignores unknown parameters (RFC 6749 section
 * 3.2).
 * @throws OAuthError `invalid_request`
 */
export async function readForm(request: Request): Promise<ReadonlyMap<string, string>> {
  if (!FORM_TYPE.test(request.headers.get("content-type") ?? "")) {
    throw malformed("The body must be application/x-www-form-urlencoded.");
  }
  const form = new Map<string, string>();
  const seen = new Set<string>();
  for (const pair of (await readText(request)).split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decodeForm(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? "" : decodeForm(pair.slice(equals + 1));
    if (name === null || value === null) throw malformed("The body is not form-encoded UTF-8.");
    if (seen.has(name)) throw malformed("A parameter is repeated. Send each parameter once.");
    seen.add(name);
    if (value !== "") form.set(name, value);
  }
  return form;
}

/** Decodes one part of a form. Returns null for a malformed encoding. */
export function decodeForm(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return null;
  }
}

async function readText(request: Request): Promise<string> {
  try {
    return utf8.decode((await readBytes(request)) ?? new Uint8Array());
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw malformed("The body is not UTF-8.");
  }
}

export function malformed(description: string): OAuthError {
  return new OAuthError("invalid_request", description);
}
