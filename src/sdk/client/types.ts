import type { Api, Tokens } from "./api.gen.ts";

/** A procedure as `api.gen.ts` writes it. */
interface ProcedureType {
  kind: "query" | "mutation" | "subscription";
  input: unknown;
  output: unknown;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
  /** false: where the call needs a step-up, it rejects, and nobody is asked. */
  stepUp?: boolean | undefined;
}

/** Without an input, or with one that may be left out, a call needs no argument. */
type Arguments<Input> = undefined extends Input
  ? [input?: Input, options?: CallOptions]
  : [input: Input, options?: CallOptions];

/** A procedure's call; rejects with SallyportError, or with the signal's reason when it was aborted. */
type Call<P extends ProcedureType> = P["kind"] extends "query"
  ? { query(...args: Arguments<P["input"]>): Promise<P["output"]> }
  : P["kind"] extends "mutation"
    ? { mutate(...args: Arguments<P["input"]>): Promise<P["output"]> }
    : never;

/** The nested object of calls: `client.auth.login.mutate({ … })`. */
export type Calls<T> = { readonly [K in keyof T]: T[K] extends ProcedureType ? Call<T[K]> : Calls<T[K]> };

export interface SessionControls {
  /** The credential of the calls that follow; null for none. Held in memory only. */
  setAccessToken(token: string | null): void;
  /**
   * A new access token for the refresh cookie (pages) or the refresh token given (everybody else), by REST
   * `POST /v1/auth/refresh`, and used from then on. Calls at the same time share one request: a second use of the same
   * refresh token would look like theft.
   */
  refresh(refreshToken?: string): Promise<Tokens>;
}

export type SallyportClient = Calls<Api> & SessionControls;
