import type { AccessClaims } from "../server/claims.ts";

declare global {
  namespace Express {
    interface Request {
      /** The claims that `requireSession` verified. Missing if `allowUnauthenticated` let the request pass. */
      user: AccessClaims;
    }
  }
}

export type { SallyportErrorType, SallyportLocalCode } from "../internal/errors.ts";
export { SallyportError } from "../internal/errors.ts";
export type { AccessClaims } from "../server/claims.ts";
export type { ExpressHandler, ExpressRequest, ExpressResponse } from "./http.ts";
export type { RequireSessionOptions } from "./require-session.ts";
export { requireScope, requireSession, sessionOf } from "./require-session.ts";
