/**
 * The error catalogue maps each code to its status, its type and its public text. A procedure declares the errors that it
 * can answer. Any other thrown error than an AppError becomes `internal_error`.
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
  invalid_input: {
    status: 400,
    type: "invalid_request_error",
    message: "Some fields are not valid. The details name each field and say why.",
  },
  unknown_application: {
    status: 400,
    type: "invalid_request_error",
    message: "No enabled application has this id.",
  },
  authentication_required: { status: 401, type: "authentication_error", message: "Sign in, or send a credential." },
  invalid_credentials: { status: 401, type: "authentication_error", message: "wrong password or unknown email" },
  invalid_code: {
    status: 401,
    type: "authentication_error",
    message: "This code or link is wrong, was used before, or has expired. Ask for a new one.",
  },
  code_used: {
    status: 401,
    type: "authentication_error",
    message: "This code was used before. Wait until the app shows the next code, and enter that one.",
  },
  token_expired: {
    status: 401,
    type: "authentication_error",
    message: "The token has expired. Refresh it, or sign in again.",
  },
  token_revoked: {
    status: 401,
    type: "authentication_error",
    message: "The session of this token has ended. Sign in again.",
  },
  insufficient_user_authentication: {
    status: 401,
    type: "authentication_error",
    message: "Confirm that it is you: sign in again, or with a second factor.",
  },
  forbidden: { status: 403, type: "authorization_error", message: "You are not allowed to do this." },
  address_unproven: {
    status: 403,
    type: "authorization_error",
    message: "Confirm your address first, with the code from the mail.",
  },
  asking_session_required: {
    status: 403,
    type: "authorization_error",
    message:
      "Open the link in the browser where you asked for it, or enter the code there. If you have signed out, sign in first.",
  },
  factor_elsewhere: {
    status: 403,
    type: "authorization_error",
    message:
      "Your second factor is a passkey of another domain, and you have no recovery codes. Sign in on the passkey's domain, or " +
      "ask the operator of this application for help.",
  },
  insufficient_scope: {
    status: 403,
    type: "authorization_error",
    message: "The credential lacks a scope that this call needs.",
  },
  application_mismatch: {
    status: 403,
    type: "authorization_error",
    message: "x-application-id names a different application from the credential's. Leave it out, or correct it.",
  },
  origin_not_allowed: {
    status: 403,
    type: "authorization_error",
    message: "The application does not allow calls from this page's origin.",
  },
  not_found: { status: 404, type: "not_found_error", message: "Not found." },
  method_not_allowed: { status: 405, type: "invalid_request_error", message: "Use another method for this address." },
  conflict: { status: 409, type: "conflict_error", message: "This exists already." },
  payload_too_large: {
    status: 413,
    type: "invalid_request_error",
    message: "The request body is too large. Send less.",
  },
  unsupported_media_type: {
    status: 415,
    type: "invalid_request_error",
    message: "Send the body as JSON, with Content-Type: application/json.",
  },
  misdirected_request: {
    status: 421,
    type: "invalid_request_error",
    message: "This server does not answer for this host name or form of address.",
  },
  rate_limited: { status: 429, type: "rate_limit_error", message: "Too many attempts. Try again later." },
  internal_error: {
    status: 500,
    type: "api_error",
    message: "Something went wrong on the server. Quote the request id when you report it.",
  },
  overloaded: { status: 503, type: "api_error", message: "The server is busy. Try again shortly." },
  storage_unavailable: {
    status: 503,
    type: "api_error",
    message: "The server cannot write data right now. Nothing was changed.",
  },
  outcome_unknown: {
    status: 503,
    type: "api_error",
    message:
      "The server cannot tell whether this call was carried out. Send it again, with the same Idempotency-Key if it had one.",
  },
} satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof catalogue;

/** A wrong field: its path (`profile.name`, or an empty text for the body itself) and the reason. */
export interface FieldProblem {
  path: string;
  reason: string;
}

export interface ErrorOptions {
  /** Replaces the catalogue's text. Public, so never put a secret or an internal name here. */
  message?: string;
  /** Public and machine-readable. For `invalid_input` this is a list of {@link FieldProblem}. */
  details?: FieldProblem[] | Record<string, unknown>;
  /** Seconds for the Retry-After header. */
  retryAfter?: number;
  /** The whole WWW-Authenticate value, if the default (`Bearer`) says too little. */
  challenge?: string;
  /** Private: goes to the log with the request id, never to the caller. */
  cause?: unknown;
}

/** The only error that callers see. Every other thrown error becomes `internal_error`. */
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

/** The catalogue for the reference and for OpenAPI. */
export const errorCatalogue: Readonly<Record<ErrorCode, ErrorEntry>> = catalogue;

/** Returns `invalid_input` for one field. */
export function invalidField(path: string, reason: string): AppError {
  return new AppError("invalid_input", { details: [{ path, reason }] });
}
