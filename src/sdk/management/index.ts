export type { SallyportErrorType, SallyportLocalCode } from "../internal/errors.ts";
export { SallyportError } from "../internal/errors.ts";
export type { Fetch } from "../internal/http.ts";
export type { Listing, Page, PageOptions } from "./listing.ts";
export type { ManagementClientOptions } from "./management-client.ts";
export { ManagementClient } from "./management-client.ts";
export type { CallOptions } from "./transport.ts";
export type * from "./types.ts";
