export type { SallyportErrorType, SallyportLocalCode } from "../internal/errors.ts";
export { SallyportError } from "../internal/errors.ts";
export type { Fetch } from "../internal/http.ts";
export type { AccessClaims, RefusalReason } from "./claims.ts";
export type { ListOptions, RequestOptions, UserPage } from "./management.ts";
export type { OnStale, SallyportServerOptions } from "./options.ts";
export { SallyportServer } from "./sallyport-server.ts";
