import { observable } from "@trpc/server/observable";
import type { Credential } from "../credential.ts";
import { refusalIn } from "../refusal.ts";
import { SecondChances } from "../second-chances.ts";
import type { Refused } from "../step-up.ts";

interface Subscribable {
  subscribe(observer: { next: (value: unknown) => void; error: (error: unknown) => void; complete: () => void }): {
    unsubscribe(): void;
  };
}

/** A link of tRPC's client (`TRPCLink`), written out here so that these types need no tRPC installed. */
export type SessionLink = (
  runtime: unknown,
) => <Operation extends { context: Record<string, unknown> }, Result extends object>(options: {
  op: Operation;
  next: (op: Operation) => Result;
}) => Result;

/** The argument of `headers` in tRPC's http links. Links that do not batch pass `op`. */
export interface HeadersInput {
  op?: { context: Record<string, unknown> };
  opList?: readonly { context: Record<string, unknown> }[];
}

/** The key under which an operation's token is kept between `headers` and the answer. */
const TOKEN = "sallyport.token";
const RETRY = "sallyport.retry";

/** For `headers` of the http link behind {@link createSessionLink}. */
export function createLinkHeaders(credential: Credential) {
  return async ({ op, opList = op ? [op] : [] }: HeadersInput = {}): Promise<Record<string, string>> => {
    const retry = opList.map(({ context }) => context[RETRY]).find((token) => typeof token === "string");
    const token = typeof retry === "string" ? retry : await credential.token();
    if (token === null) return {};
    for (const { context } of opList) context[TOKEN] = token;
    return { authorization: `Bearer ${token}` };
  };
}

/** Retries an operation once with another token if its own token was refused. */
export function createSessionLink(credential: Credential): SessionLink {
  return () =>
    ({ op, next }) => {
      const result = observable((observer) => {
        const chances = new SecondChances(credential);
        let current: { unsubscribe(): void } | undefined;
        let isDone = false;
        const attempt = (): void => {
          current = (next(op) as unknown as Subscribable).subscribe({
            next: (value) => observer.next(value),
            complete: () => observer.complete(),
            error: async (error: unknown) => {
              const rejected = op.context[TOKEN];
              const refused = typeof rejected === "string" ? refusalOf(error) : null;
              // Without an answer to the refresh, the operation fails for that reason, and not as refused.
              const next = refused && chances.next(refused, rejected as string);
              const { token, failure } = await Promise.resolve(next).then(
                (found) => ({ token: found, failure: error }),
                (reason: unknown) => ({ token: null, failure: reason }),
              );
              if (isDone) return;
              if (token === null) return observer.error(failure);
              op.context[RETRY] = token;
              attempt();
            },
          });
        };
        attempt();
        return () => {
          isDone = true;
          current?.unsubscribe();
        };
      });
      return result as unknown as ReturnType<typeof next>;
    };
}

/**
 * Reads a `TRPCClientError` of any server. Our envelope is in `data.error`; every tRPC server sends `data.httpStatus`.
 * @returns null unless it is a 401
 */
function refusalOf(error: unknown): Refused | null {
  const { data, meta } = error as {
    data?: { httpStatus?: unknown; error?: unknown } | null;
    meta?: { response?: { status?: number; headers?: Headers } };
  };
  const status = data?.httpStatus ?? meta?.response?.status;
  if (status !== 401) return null;
  return { ...refusalIn(data), challenge: meta?.response?.headers?.get("www-authenticate") ?? null };
}
