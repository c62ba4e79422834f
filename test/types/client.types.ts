import { createTRPCClient, httpBatchLink } from "@trpc/client";
import type { Api, AppRouter, SallyportClient } from "../../src/sdk/client/index.ts";

/**
 * The caller's view of the API. The compiler checks this file, and nothing runs it. A line under `@ts-expect-error` that
 * compiles is an error itself.
 */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function assertType<_T extends true>(): void;
declare const client: SallyportClient;

export async function ourClient() {
  const answer = await client.auth.login.mutate({ email: "a@example.com", password: "p" });
  assertType<Same<typeof answer, Api["auth"]["login"]["output"]>>();
  if (answer.status === "success") assertType<Same<typeof answer.access_token, string>>();
  else assertType<Same<typeof answer.mfa_token, string>>();

  await client.users.list.query();
  await client.users.list.query({ limit: 5 }, { signal: AbortSignal.timeout(1) });
  await client.auth.session.query(undefined, {});

  // @ts-expect-error a field is missing
  await client.auth.login.mutate({ email: "a@example.com" });
  // @ts-expect-error an input is required
  await client.auth.login.mutate();
  // @ts-expect-error a mutation is not a query
  await client.auth.login.query({ email: "a@example.com", password: "p" });
  // @ts-expect-error no such procedure
  await client.auth.nothing.query();
  // @ts-expect-error the wire uses snake_case
  await client.users.list.query({ pageSize: 5 });
}

/** tRPC's own client accepts our structural router. */
export async function trpcClient() {
  const trpc = createTRPCClient<AppRouter>({ links: [httpBatchLink({ url: "http://localhost:8080/trpc" })] });
  const answer = await trpc.auth.login.mutate({ email: "a@example.com", password: "p" });
  assertType<Same<typeof answer, Api["auth"]["login"]["output"]>>();
  const page = await trpc.users.list.query();
  assertType<Same<typeof page, Api["users"]["list"]["output"]>>();
  // @ts-expect-error a field is missing
  await trpc.auth.login.mutate({ email: "a@example.com" });
}
