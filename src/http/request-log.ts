import type { AppError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";

/** An answer, without the query, the headers and the bodies of its request: any of these may hold a secret. */
export interface AnsweredRequest {
  requestId: string;
  method: string;
  path: string;
  status: number;
  ms: number;
  address: string;
  /** The `Origin` header of the calling page, as sent. */
  page: string | null;
  /** UUID of the application that the request was for, if it became known. */
  applicationId: string | null;
  /** The reason for a refusal. */
  error: AppError | null;
  /** Whether the answer continues, as an event stream does. */
  isOpen: boolean;
}

/** The end of a streamed answer. */
export interface ClosedAnswer extends AnsweredRequest {
  closedBy: "client" | "server";
}

/** Receives every request. Without a request log, no request does any work for it. */
export interface RequestLog {
  answered(request: AnsweredRequest): void;
  closed(request: ClosedAnswer): void;
}

/** Returns the same facts for programs, in snake_case. */
export function requestFields(request: AnsweredRequest): Record<string, string | number> {
  const { requestId, method, path, status, ms, address, applicationId, error } = request;
  return {
    request_id: requestId,
    method,
    path,
    status,
    ms,
    address,
    ...(applicationId === null ? {} : { application_id: applicationId }),
    ...(error === null ? {} : { code: error.code }),
  };
}

/** Writes the request lines of `serve` at log level `debug`. */
export function debugRequestLog(log: Log): RequestLog {
  return {
    answered: (request) => log.debug(requestFields(request), "Request"),
    closed: (request) => log.debug({ ...requestFields(request), closed_by: request.closedBy }, "Request closed"),
  };
}
