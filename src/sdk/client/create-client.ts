import { configurationError, SallyportError, unexpectedResponse } from "../internal/errors.ts";
import { type Fetch, platformFetch, requestJson } from "../internal/http.ts";
import { requireApplicationId, requireUrl } from "../internal/options.ts";
import { singleFlight } from "../internal/single-flight.ts";
import type { Tokens } from "./api.gen.ts";
import { type Credential, rememberInternals } from "./credential.ts";
import { SecondChances } from "./second-chances.ts";
import { type OnStepUp, StepUps } from "./step-up.ts";
import type { CallOptions, SallyportClient } from "./types.ts";
import { type CallContext, type CallKind, createWire } from "./wire.ts";

export interface ClientOptions {
  /** The appliance's address. Default `SALLYPORT_URL`. */
  url?: string | undefined;
  /** UUID or `app_…`; not a secret. Default `SALLYPORT_APP_ID`. */
  applicationId?: string | undefined;
  /** The first access token, if you have one. */
  accessToken?: string | undefined;
  /**
   * Called before each request instead, for tokens that your backend signs or keeps. Return null for no token. It is called
   * once more, with the `rejected` token, when the appliance says that a token has expired or is revoked.
   */
  getAccessToken?: GetAccessToken | undefined;
  /**
   * Called when a call needs a stronger or fresher sign-in than its token shows (`insufficient_user_authentication`), once
   * for all calls that wait for it. Without a handler the call rejects with that error; `stepUpNeedOf` reads it. Calls made
   * inside the handler must pass `{ stepUp: false }`, or they would wait for themselves.
   */
  onStepUp?: OnStepUp | undefined;
  fetch?: Fetch | undefined;
  /** Headers for each request, or a function that returns them before each. */
  headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>) | undefined;
  /** Whether requests carry cookies. Default: `"include"` in a page, no cookies elsewhere. */
  credentials?: "include" | "omit" | "same-origin" | undefined;
}

export type GetAccessToken = (asking: {
  rejected: string | null;
}) => string | null | undefined | Promise<string | null | undefined>;

const TIMEOUT = 30_000;
const MAX_BYTES = 1_000_000;

/**
 * The typed client. The calls of one event loop turn share one request on tRPC's wire.
 * @throws SallyportError `configuration_error` that names the missing or wrong option
 */
export function createClient(options: ClientOptions = {}): SallyportClient {
  const url = requireUrl(options.url, "url", "SALLYPORT_URL");
  const applicationId = requireApplicationId(options.applicationId);
  const fetch = options.fetch ?? platformFetch;
  let credentials = options.credentials ?? ("document" in globalThis ? "include" : undefined);
  let accessToken = options.accessToken ?? null;
  let isAttached = false;
  const ownToken = async (rejected: string | null) =>
    (options.getAccessToken ? await options.getAccessToken({ rejected }) : accessToken) ?? null;
  const stepUps = new StepUps(() => options.onStepUp, ownToken);
  let credential: Credential = {
    token: () => ownToken(null),
    renew: async (rejected) => (await options.getAccessToken?.({ rejected })) ?? null,
    stepUp: (need, rejected) => stepUps.rise(need, rejected),
  };

  async function headers(): Promise<Record<string, string>> {
    const own = typeof options.headers === "function" ? await options.headers() : options.headers;
    return { ...own, "x-application-id": applicationId };
  }

  async function callHeaders(batch: readonly { context: CallContext }[]): Promise<Record<string, string>> {
    const token = batch.find(({ context }) => context.retry)?.context.retry ?? (await credential.token());
    for (const { context } of batch) if (token) context.token = token;
    return { ...(await headers()), ...(token ? { authorization: `Bearer ${token}` } : {}) };
  }

  const wire = createWire({ url, fetch, credentials: () => credentials, headers: callHeaders });

  async function call(kind: CallKind, path: string, input: unknown, { signal, stepUp = true }: CallOptions = {}) {
    const chances = new SecondChances(credential, stepUp);
    let context: CallContext = {};
    for (;;) {
      try {
        return await wire(kind, path, input, signal, context);
      } catch (error) {
        // The appliance refuses a token before the procedure runs, so a second attempt never does the work twice.
        if (!(error instanceof SallyportError) || error.status !== 401 || !context.token) throw error;
        const next = await chances.next({ code: error.code, details: error.details, challenge: null }, context.token);
        if (next === null) throw error;
        context = { retry: next };
      }
    }
  }

  function refuseAttached(): void {
    if (isAttached) throw configurationError("A session keeps this client's access token: use the session instead.");
  }

  async function requestTokens(refreshToken: string | undefined): Promise<Tokens> {
    const { body } = await requestJson(fetch, {
      url: `${url}/v1/auth/refresh`,
      method: "POST",
      headers: await headers(),
      body: refreshToken === undefined ? {} : { refresh_token: refreshToken },
      timeoutMs: TIMEOUT,
      maxBytes: MAX_BYTES,
      credentials,
    });
    const tokens = body as Tokens;
    if (typeof tokens?.access_token !== "string") throw unexpectedResponse(url, 200, "no access token");
    accessToken = tokens.access_token;
    return tokens;
  }

  const refreshes = new Map<string | undefined, () => Promise<Tokens>>();
  const controls = {
    setAccessToken(token: string | null) {
      refuseAttached();
      accessToken = token;
    },
    async refresh(refreshToken?: string): Promise<Tokens> {
      refuseAttached();
      const known = refreshes.get(refreshToken);
      if (known) return known();
      const run = singleFlight(() => requestTokens(refreshToken).finally(() => refreshes.delete(refreshToken)));
      refreshes.set(refreshToken, run);
      return run();
    },
  };
  const client = proxyOf([], call, controls) as SallyportClient;
  const hasOwnCredential = options.getAccessToken !== undefined || options.accessToken !== undefined;
  rememberInternals(client, {
    url,
    applicationId,
    fetch,
    hasOwnCredential,
    onStepUp: options.onStepUp,
    headers,
    attach(own, { omitCookies = false } = {}) {
      credential = own;
      if (omitCookies) credentials = "omit";
      isAttached = true;
    },
  });
  return client;
}

type Caller = (kind: CallKind, path: string, input: unknown, options?: CallOptions) => Promise<unknown>;

/**
 * Turns `a.b.c.query(…)` into `call("query", "a.b.c", …)`, so nothing of the API's shape is needed at run time. Only `query`
 * and `mutate` are functions; otherwise `await client` would take a procedure named `then` for a promise's.
 */
function proxyOf(path: string[], call: Caller, own: object): object {
  const children = new Map<string, unknown>();
  return new Proxy(Object.freeze({ ...own }), {
    get(target, name) {
      if (typeof name !== "string") return undefined;
      if (Object.hasOwn(target, name)) return Reflect.get(target, name);
      let child = children.get(name);
      if (child === undefined) {
        child = memberOf(path, name, call);
        children.set(name, child);
      }
      return child;
    },
  });
}

function memberOf(path: string[], name: string, call: Caller): unknown {
  if (path.length > 0 && (name === "query" || name === "mutate")) {
    const kind: CallKind = name === "query" ? "query" : "mutation";
    return (input?: unknown, options?: CallOptions) => call(kind, path.join("."), input, options);
  }
  return proxyOf([...path, name], call, {});
}
