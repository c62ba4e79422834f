import type { PlatformSignal } from "../internal/platform.ts";
import type { Api, Tokens } from "./api.gen.ts";

/** A procedure as `api.gen.ts` writes it. */
interface ProcedureType {
  kind: "query" | "mutation" | "subscription";
  input: unknown;
  output: unknown;
}

export interface CallOptions {
  signal?: PlatformSignal | undefined;
  /** With false, a call that needs a step-up rejects, and the user is not asked. */
  stepUp?: boolean | undefined;
}

/** A call needs no argument if it has no input, or if its input may be left out. */
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
  /** Sets the credential of later calls; null for none. Held in memory only. */
  setAccessToken(token: string | null): void;
  /**
   * Gets a new access token for the refresh cookie (in pages) or for the given refresh token (elsewhere) by REST
   * `POST /v1/auth/refresh`, and uses it from then on. Simultaneous calls share one request, because a refresh token used twice
   * looks like theft.
   */
  refresh(refreshToken?: string): Promise<Tokens>;
}

export type SallyportClient = Calls<Api> & SessionControls;
