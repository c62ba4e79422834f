/**
 * Errors are data: one catalogue maps a code to its status, its type and the text that the public may read. A procedure
 * declares which of them it can answer; anything thrown that is no AppError is `internal_error`.
 */
export type ErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "authorization_error"
  | "not_found_error"
  | "conflict_error"
  | "rate_limit_error"
  | "api_error";

export interface ErrorEntry {
  status: number;
  type: ErrorType;
  message: string;
}

const catalogue = {
  invalid_input: { status: 400, type: "invalid_request_error", message: "The request has fields that are not valid." },
  unknown_application: {
    status: 400,
    type: "invalid_request_error",
    message: "No enabled application has the id that was given.",
  },
  authentication_required: { status: 401, type: "authentication_error", message: "This needs a credential." },
  invalid_credentials: { status: 401, type: "authentication_error", message: "wrong password or unknown email" },
  invalid_code: {
    status: 401,
    type: "authentication_error",
    message: "The code or link is wrong, was used before, or has expired.",
  },
  token_expired: { status: 401, type: "authentication_error", message: "The token has expired." },
  token_revoked: { status: 401, type: "authentication_error", message: "The session of this token has ended." },
  insufficient_user_authentication: {
    status: 401,
    type: "authentication_error",
    message: "This needs a stronger or fresher sign-in.",
  },
  forbidden: { status: 403, type: "authorization_error", message: "This caller may not do that." },
  insufficient_scope: { status: 403, type: "authorization_error", message: "The credential lacks a scope." },
  application_mismatch: {
    status: 403,
    type: "authorization_error",
    message: "x-application-id names another application than the credential's.",
  },
  origin_not_allowed: {
    status: 403,
    type: "authorization_error",
    message: "The page's origin is not on the application's allowlist.",
  },
  not_found: { status: 404, type: "not_found_error", message: "There is nothing here by that name." },
  method_not_allowed: { status: 405, type: "invalid_request_error", message: "This address takes another method." },
  conflict: { status: 409, type: "conflict_error", message: "That exists already." },
  payload_too_large: { status: 413, type: "invalid_request_error", message: "The request body is too large." },
  unsupported_media_type: {
    status: 415,
    type: "invalid_request_error",
    message: "The body must be JSON, with Content-Type: application/json.",
  },
  misdirected_request: {
    status: 421,
    type: "invalid_request_error",
    message: "This host name or address form is not served here.",
  },
  rate_limited: { status: 429, type: "rate_limit_error", message: "Too many attempts. Try again later." },
  internal_error: { status: 500, type: "api_error", message: "Something went wrong here. The request id names it." },
  overloaded: { status: 503, type: "api_error", message: "Busy at this moment. Try again shortly." },
  storage_unavailable: {
    status: 503,
    type: "api_error",
    message: "Nothing can be written at this moment. Nothing was changed.",
  },
} satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof catalogue;

/** One entry a wrong field: where (`profile.name`, `` for the body itself) and why. */
export interface FieldProblem {
  path: string;
  reason: string;
}

export interface ErrorOptions {
  /** Replaces the catalogue's text. Public: never put a secret or an internal name here. */
  message?: string;
  /** Public and machine-readable; for `invalid_input` a list of {@link FieldProblem}. */
  details?: FieldProblem[] | Record<string, unknown>;
  /** Seconds for the Retry-After header. */
  retryAfter?: number;
  /** The whole WWW-Authenticate value, where the default (`Bearer`) says too little. */
  challenge?: string;
  /** Private: goes to the log beside the request id, never to the caller. */
  cause?: unknown;
}

/** The one error that callers see. Everything else that is thrown becomes `internal_error`. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly type: ErrorType;
  readonly details: ErrorOptions["details"];
  readonly retryAfter: number | undefined;
  readonly challenge: string | undefined;

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    const entry = catalogue[code];
    super(options.message ?? entry.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.status = entry.status;
    this.type = entry.type;
    this.details = options.details;
    this.retryAfter = options.retryAfter;
    this.challenge = options.challenge;
  }
}

/** The catalogue, for the reference and for OpenAPI. */
export const errorCatalogue: Readonly<Record<ErrorCode, ErrorEntry>> = catalogue;

/** `invalid_input` for one field. */
export function invalidField(path: string, reason: string): AppError {
  return new AppError("invalid_input", { details: [{ path, reason }] });
}
