import type * as client from "../../src/sdk/client/index.ts";
import type * as management from "../../src/sdk/management/index.ts";
import type * as react from "../../src/sdk/react/index.ts";
import type * as server from "../../src/sdk/server/index.ts";

/**
 * Every entry point of the SDK has the types that are generated from the procedures' schemas, so a new field of the wire
 * is a field in each of them. The compiler checks this file, and nothing runs it.
 */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function assertType<_T extends true>(): void;

type Api = client.Api;
type Management = management.ManagementClient;
type Rooms = "users" | "applications" | "sessions" | "resources" | "apiKeys";

/** The answer of each call in a group. A listing is awaited as its page. */
type Answers<R extends Rooms> = {
  [K in keyof Management[R]]: Management[R][K] extends (...args: never[]) => unknown
    ? Awaited<ReturnType<Management[R][K]>>
    : never;
};
type WireAnswers<R extends Rooms> = {
  [K in keyof Management[R]]: K extends keyof Api[R] ? Output<Api[R][K]> : "no such procedure";
};
type Output<P> = P extends { output: infer Answer } ? Answer : never;

export function everyCallAnswersAsTheWire(): void {
  assertType<Same<Answers<"users">, WireAnswers<"users">>>();
  assertType<Same<Answers<"applications">, WireAnswers<"applications">>>();
  assertType<Same<Answers<"sessions">, WireAnswers<"sessions">>>();
  assertType<Same<Answers<"resources">, WireAnswers<"resources">>>();
  assertType<Same<Answers<"apiKeys">, WireAnswers<"apiKeys">>>();
  assertType<Same<Awaited<ReturnType<server.SallyportServer["users"]["list"]>>, Api["users"]["list"]["output"]>>();
  assertType<Same<Awaited<ReturnType<client.SallyportClient["refresh"]>>, Api["auth"]["refresh"]["output"]>>();
}

type Input<P> = P extends { input: infer Taken } ? Taken : never;
type First<F> = F extends (first: infer Taken, ...rest: never[]) => unknown ? Taken : never;
type Second<F> = F extends (first: never, second: infer Taken, ...rest: never[]) => unknown ? Taken : never;

export function everyCallTakesTheInputOfTheWire(): void {
  assertType<Same<First<Management["users"]["list"]>, Input<Api["users"]["list"]>>>();
  assertType<Same<First<Management["users"]["create"]>, Input<Api["users"]["create"]>>>();
  assertType<Same<Second<Management["users"]["update"]>, Omit<Input<Api["users"]["update"]>, "id">>>();
  assertType<Same<First<Management["applications"]["list"]>, Input<Api["applications"]["list"]>>>();
  assertType<Same<First<Management["sessions"]["list"]>, Input<Api["sessions"]["list"]>>>();
  assertType<Same<First<Management["resources"]["list"]>, Input<Api["resources"]["list"]>>>();
  assertType<Same<First<Management["resources"]["create"]>, Input<Api["resources"]["create"]>>>();
  assertType<Same<Second<Management["resources"]["update"]>, Omit<Input<Api["resources"]["update"]>, "id">>>();
  assertType<Same<First<Management["apiKeys"]["list"]>, Input<Api["apiKeys"]["list"]>>>();
  assertType<Same<First<Management["apiKeys"]["create"]>, Input<Api["apiKeys"]["create"]>>>();
  assertType<Same<First<server.SallyportServer["users"]["list"]>, Input<Api["users"]["list"]>>>();
}

export function everyDoorHasTheGeneratedTypes(): void {
  assertType<Same<management.Api, Api>>();
  assertType<Same<server.Api, Api>>();
  assertType<Same<react.Api, Api>>();
  assertType<Same<management.ManagedApplication, client.ManagedApplication>>();
  assertType<Same<react.User, client.User>>();
  assertType<Same<ReturnType<typeof react.useUser>, client.User | null>>();
}
