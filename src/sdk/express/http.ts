/**
 * The little of Express that the middleware needs, so that Express 4, Express 5 and what resembles them all fit, and nobody
 * has to install types who writes JavaScript.
 */
export interface ExpressRequest {
  method: string;
  headers: Record<string, string | string[] | undefined>;
  app?: unknown;
}

export interface ExpressResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

export type ExpressHandler = (
  request: ExpressRequest,
  response: ExpressResponse,
  next: (error?: unknown) => void,
) => void;
