import type { PlatformHeaders, PlatformUrl } from "./platform.ts";

/** The `type` of the REST envelope: one per class of error, for callers that handle classes. */
export type SallyportErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "authorization_error"
  | "not_found_error"
  | "conflict_error"
  | "rate_limit_error"
  | "api_error";

/** Codes of this package itself. The appliance's error catalogue holds the appliance's codes. */
export type SallyportLocalCode =
  | "configuration_error"
  | "authentication_required"
  | "token_expired"
  | "token_revoked"
  | "insufficient_user_authentication"
  | "insufficient_scope"
  | "forbidden"
  | "application_mismatch"
  | "origin_not_allowed"
  | "mixed_content"
  | "storage_failed"
  | "passkey_cancelled"
  | "passkey_exists"
  | "passkey_unsupported"
  | "unreachable"
  | "unexpected_response";

export interface SallyportErrorInit {
  code: string;
  message: string;
  status: number;
  type: SallyportErrorType;
  requestId?: string | null;
  details?: unknown;
  retryAfter?: number | null;
  cause?: unknown;
}

/** The only error of this package: the appliance's error envelope, or a refusal by the package in the same shape. */
export class SallyportError extends Error {
  /** Machine-readable: `invalid_credentials`, `token_expired`, … or a {@link SallyportLocalCode}. */
  readonly code: SallyportLocalCode | (string & {});
  /** The answer's HTTP status, or a fitting one for your own answer: 503 for `unreachable`, 502 for `unexpected_response`. */
  readonly status: number;
  readonly type: SallyportErrorType;
  /** Names the request in the appliance's log; null for an error that this package raised. */
  readonly requestId: string | null;
  /** Depends on the code: a list of field problems for `invalid_input`, `{ reason }` for a refused token, … or null. */
  readonly details: unknown;
  /** Seconds to wait before the next attempt, if the appliance named them. */
  readonly retryAfter: number | null;

  constructor(init: SallyportErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    this.status = init.status;
    this.type = init.type;
    this.requestId = init.requestId ?? null;
    this.details = init.details ?? null;
    this.retryAfter = init.retryAfter ?? null;
  }
}

// Bundlers rename classes, and stack traces read the name before a constructor could set it. (Not in a static block, which
// Safari 15 cannot read.)
Object.defineProperty(SallyportError, "name", { value: "SallyportError" });
SallyportError.prototype.name = "SallyportError";

/** A missing or wrong option. Thrown when the client is constructed, never at the first call. */
export function configurationError(message: string): SallyportError {
  return new SallyportError({ code: "configuration_error", message, status: 500, type: "invalid_request_error" });
}

/** The request got no answer: refused connection, timeout, name not found. */
export function unreachable(url: string, cause: unknown): SallyportError {
  const message = `${originOf(url)} could not be reached.`;
  return new SallyportError({ code: "unreachable", message, status: 503, type: "api_error", cause });
}

/** The answer is not the appliance's: a proxy's page, another server, a body beyond the size cap. */
export function unexpectedResponse(url: string, status: number, what: string): SallyportError {
  const message = `${originOf(url)} answered ${status} with ${what}.`;
  const details = { status };
  return new SallyportError({ code: "unexpected_response", message, status: 502, type: "api_error", details });
}

/** Reads `{ code, message, type, request_id, details }`. @returns null unless the value is such an envelope */
export function fromEnvelope(value: unknown, status: number, headers?: PlatformHeaders | null): SallyportError | null {
  if (typeof value !== "object" || value === null) return null;
  const { code, message, type, request_id, details } = value as Record<string, unknown>;
  if (typeof code !== "string" || typeof message !== "string") return null;
  return new SallyportError({
    code,
    message,
    status,
    type: isErrorType(type) ? type : "api_error",
    requestId: typeof request_id === "string" ? request_id : null,
    details,
    retryAfter: retryAfterOf(headers),
  });
}

/** Reads `{ error, error_description }` (RFC 6749 section 5.2). @returns null unless the value is such an object */
export function fromOAuthError(value: unknown, status: number, headers: PlatformHeaders): SallyportError | null {
  if (typeof value !== "object" || value === null) return null;
  const { error: code, error_description } = value as Record<string, unknown>;
  if (typeof code !== "string") return null;
  return new SallyportError({
    code,
    message: typeof error_description === "string" ? error_description : `The token endpoint answered ${code}.`,
    status,
    type: status === 429 ? "rate_limit_error" : status >= 500 ? "api_error" : oauthType(code),
    requestId: headers.get("x-request-id"),
    retryAfter: retryAfterOf(headers),
  });
}

function oauthType(code: string): SallyportErrorType {
  if (code === "invalid_client") return "authentication_error";
  return code === "unauthorized_client" || code === "access_denied" ? "authorization_error" : "invalid_request_error";
}

/** In seconds, as the appliance sends it. Ignores a date, which the appliance never sends. */
function retryAfterOf(headers: PlatformHeaders | null | undefined): number | null {
  const text = headers?.get("retry-after") ?? "";
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}

const ERROR_TYPES = new Set<unknown>([
  "invalid_request_error",
  "authentication_error",
  "authorization_error",
  "not_found_error",
  "conflict_error",
  "rate_limit_error",
  "api_error",
]);

function isErrorType(value: unknown): value is SallyportErrorType {
  return ERROR_TYPES.has(value);
}

/** Returns null unless this is an absolute address. (`URL.canParse` is missing in some Node 18.) */
export function parseUrl(text: string): PlatformUrl | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** A message never holds the whole address: its query may hold a cursor or a user's address. */
function originOf(url: string): string {
  return parseUrl(url)?.origin ?? "The configured address";
}
