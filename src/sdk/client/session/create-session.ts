import { configurationError, parseUrl } from "../../internal/errors.ts";
import { internalsOf } from "../credential.ts";
import type { OnStepUp } from "../step-up.ts";
import type { SallyportClient } from "../types.ts";
import { Keeper } from "./keeper.ts";
import { SessionRequests } from "./requests.ts";
import { createSecondFactors, type SecondFactorMethods } from "./second-factors.ts";
import { createSessionFetch } from "./session-fetch.ts";
import { createLinkHeaders, createSessionLink, type HeadersInput, type SessionLink } from "./session-link.ts";
import { createSignIns, type SignIns } from "./sign-ins.ts";
import { refuseOtherSite } from "./site.ts";
import { type SessionState, SessionStates, type StateListener } from "./state.ts";

export interface SessionOptions {
  /** Origins of your own servers that `session.fetch` may show the access token to, beside this page's and the appliance's. */
  origins?: readonly string[] | undefined;
  /** Milliseconds since the Unix epoch. Default: the device's clock, which may be wrong. */
  now?: (() => number) | undefined;
}

export interface SallyportSession extends SignIns, SecondFactorMethods {
  /** The typed client: its calls carry this session's token. */
  readonly client: SallyportClient;
  /** Who is signed in. A new object at each change, the same one in between. */
  readonly state: SessionState;
  /** @returns ends the subscription */
  subscribe(listener: StateListener): () => void;
  /**
   * Ends the session, here and in the other tabs; with `all`, the person's others on every device as well.
   * @throws SallyportError `unreachable`: the session goes on, since its cookie is not this page's to remove
   */
  signOut(options?: { all?: boolean }): Promise<void>;
  /**
   * The access token, replaced first where less than `minValidity` seconds of it are left (default: a fifth of its life, at
   * most 30). null when nobody is signed in.
   * @throws SallyportError `unreachable`, … when none is left and none can be had
   */
  getAccessToken(options?: { minValidity?: number }): Promise<string | null>;
  /** A new token and the user as the appliance knows them now. @throws SallyportError when it cannot be reached */
  refresh(): Promise<void>;
  /**
   * `fetch` with the token as Bearer, tried once more after a refresh when it was refused as expired or revoked, and after a
   * step-up when it said too little of the person.
   * @throws SallyportError `configuration_error` for an origin that is neither this page's, the appliance's nor in `origins`
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** For `links` of a tRPC client of your own, before the http link: tries once more after a refresh. */
  readonly link: SessionLink;
  /** For `headers` of that http link: the token as Bearer. */
  headers(input?: HeadersInput): Promise<Record<string, string>>;
  /**
   * Has this answer what needs a stronger or fresher sign-in, in place of the client's `onStepUp`. The last one set counts.
   * @returns takes it back
   */
  onStepUp(handler: OnStepUp): () => void;
  /** Lets go of timers, events and the other tabs. Nobody is signed out. */
  close(): void;
}

/**
 * Keeps a person signed in, in a page: the access token in memory only, refreshed by an HttpOnly cookie, one refresh at a
 * time across tabs. Takes over the client's credential, and begins at once to learn who is signed in.
 * @throws SallyportError `configuration_error` outside a page; for a client with a token of its own; when page and
 * appliance are on different sites
 */
export function createSession(client: SallyportClient, options: SessionOptions = {}): SallyportSession {
  const internals = internalsOf(client);
  if (!internals) throw configurationError("createSession takes what createClient answered.");
  if (internals.hasOwnCredential) {
    throw configurationError("createSession takes a client without accessToken and getAccessToken: it brings its own.");
  }
  if (!("document" in globalThis)) {
    throw configurationError("createSession is for pages. On a server, verify tokens with sallyport/server.");
  }
  const pageOrigin = globalThis.location.origin;
  refuseOtherSite(pageOrigin, internals.url);
  const states = new SessionStates();
  const wall = options.now ?? Date.now;
  const handlers: OnStepUp[] = [];
  const keeper = new Keeper({
    client: internals,
    requests: new SessionRequests(internals, pageOrigin),
    states,
    readClocks: () => ({ wall: wall(), steady: performance.now() }),
    pageOrigin,
    stepUpHandler: () => handlers.at(-1) ?? internals.onStepUp,
  });
  internals.attach(keeper);
  const named = [pageOrigin, internals.url, ...(options.origins ?? [])];
  const origins = new Set(named.map((address) => parseUrl(address)?.origin ?? address));
  return {
    client,
    get state() {
      return states.current;
    },
    subscribe: (listener) => states.subscribe(listener),
    ...createSignIns(keeper, client),
    ...createSecondFactors(keeper, client),
    signOut: ({ all = false } = {}) => keeper.leave(all),
    getAccessToken: ({ minValidity } = {}) =>
      minValidity === undefined ? keeper.token() : keeper.tokenFor(minValidity),
    refresh: async () => {
      await keeper.refresh();
    },
    fetch: createSessionFetch({ credential: keeper, origins }),
    link: createSessionLink(keeper),
    headers: createLinkHeaders(keeper),
    onStepUp(handler) {
      // Wrapped: the same function set twice is two.
      const own: OnStepUp = (need) => handler(need);
      handlers.push(own);
      return () => {
        handlers.splice(handlers.indexOf(own) >>> 0, 1);
      };
    },
    close: () => keeper.close(),
  };
}
