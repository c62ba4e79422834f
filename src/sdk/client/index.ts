export type { SallyportErrorType, SallyportLocalCode } from "../internal/errors.ts";
export { SallyportError } from "../internal/errors.ts";
export type { Fetch } from "../internal/http.ts";
export type * from "./api.gen.ts";
export type { AppRouter, ErrorShape } from "./app-router.ts";
export type { ClientOptions } from "./create-client.ts";
export { createClient } from "./create-client.ts";
export type { CallOptions, SallyportClient, SessionControls, Tokens } from "./types.ts";
