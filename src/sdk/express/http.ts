/**
 * The few parts of Express that the middleware needs. They fit Express 4, Express 5 and similar frameworks, and JavaScript
 * users need to install no types.
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
