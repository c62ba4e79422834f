import { configurationError, parseUrl } from "../../internal/errors.ts";
import type { PlatformInit, PlatformRequest, PlatformResponse, PlatformUrl } from "../../internal/platform.ts";
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
import type { SessionStorage } from "./token-storage.ts";
import { vaultOf } from "./vault.ts";

export interface SessionOptions {
  /**
   * For an app without cookies (React Native, Expo, Electron's main process): keeps the refresh token, so give it the platform's
   * secure store. Leave it out in a page, where an HttpOnly cookie keeps the token from scripts.
   */
  storage?: SessionStorage | undefined;
  /** Your own servers' origins to which `session.fetch` may send the access token, beside this page's and the appliance's. */
  origins?: readonly string[] | undefined;
  /** Milliseconds since the Unix epoch. Default: the device's clock, which may be wrong. */
  now?: (() => number) | undefined;
}

export interface SallyportSession extends SignIns, SecondFactorMethods {
  /** The typed client: its calls carry this session's token. */
  readonly client: SallyportClient;
  /** The signed-in user, if any. Each change makes a new object; between changes it is the same one. */
  readonly state: SessionState;
  /** @returns a function that ends the subscription */
  subscribe(listener: StateListener): () => void;
  /**
   * Ends the session, here and in the other tabs. With `all`, also ends the user's other sessions on every device.
   * With `storage`, an appliance that cannot be reached is told later, also after a restart of the app.
   * @throws SallyportError `unreachable`: the session goes on, because this page cannot remove its cookie. With `all` also
   * `authentication_required` and `token_revoked`, if the session had already ended: the other sessions go on
   */
  signOut(options?: { all?: boolean }): Promise<void>;
  /**
   * Returns the access token, or null if nobody is signed in. Replaces the token first if less than `minValidity` seconds
   * of it are left (default: a fifth of its life, at most 30).
   * @throws SallyportError `unreachable` and others if no valid token is left and none can be fetched
   */
  getAccessToken(options?: { minValidity?: number }): Promise<string | null>;
  /** Fetches a new token and the current user. @throws SallyportError if the appliance cannot be reached */
  refresh(): Promise<void>;
  /**
   * `fetch` with the token as Bearer. Retries once after a refresh if the server refused the token as expired or revoked, and
   * once after a step-up if the server asks for a stronger or fresher sign-in.
   * @throws SallyportError `configuration_error` unless the origin is this page's, the appliance's or listed in `origins`
   */
  fetch(input: string | PlatformUrl | PlatformRequest, init?: PlatformInit): Promise<PlatformResponse>;
  /** For `links` of your own tRPC client, before the http link: retries once after a refresh. */
  readonly link: SessionLink;
  /** For `headers` of that http link: the token as Bearer. */
  headers(input?: HeadersInput): Promise<Record<string, string>>;
  /**
   * Sets the handler for calls that need a stronger or fresher sign-in, in place of the client's `onStepUp`. The last handler
   * set is used.
   * @returns a function that removes the handler
   */
  onStepUp(handler: OnStepUp): () => void;
  /** Releases timers, events and the link to the other tabs. Does not sign out. */
  close(): void;
}

/**
 * Keeps a user signed in, in a page or in an app. The access token is in memory only. An HttpOnly cookie refreshes it, one
 * refresh at a time across tabs; with `storage`, the refresh token in that storage does. Takes over the client's credential, and asks the appliance at once whether a user is signed in.
 * @throws SallyportError `configuration_error` outside a page without `storage`, for a client with its own token, and if the page
 * and the appliance are on different sites
 */
export function createSession(client: SallyportClient, options: SessionOptions = {}): SallyportSession {
  const internals = internalsOf(client);
  if (!internals) throw configurationError("createSession needs a client that createClient made.");
  if (internals.hasOwnCredential) {
    throw configurationError(
      "createSession keeps the access token itself. Make the client without accessToken and getAccessToken.",
    );
  }
  const { storage } = options;
  const vault = storage === undefined ? null : vaultOf(storage, internals.url, internals.applicationId);
  if (!vault && !("document" in globalThis)) {
    throw configurationError(
      "createSession works only in pages, and in apps that pass `storage`. On a server, verify tokens with sallyport/server.",
    );
  }
  const pageOrigin = vault ? null : globalThis.location.origin;
  if (pageOrigin !== null) refuseOtherSite(pageOrigin, internals.url);
  const states = new SessionStates();
  const wall = options.now ?? Date.now;
  const handlers: OnStepUp[] = [];
  const keeper = new Keeper({
    client: internals,
    requests: new SessionRequests(internals, pageOrigin),
    states,
    readClocks: () => ({ wall: wall(), steady: performance.now() }),
    pageOrigin,
    vault,
    stepUpHandler: () => handlers.at(-1) ?? internals.onStepUp,
  });
  internals.attach(keeper, { omitCookies: vault !== null });
  const named = [...(pageOrigin === null ? [] : [pageOrigin]), internals.url, ...(options.origins ?? [])];
  const origins = new Set(named.map((address) => parseUrl(address)?.origin ?? address));
  const appliance = {
    origin: parseUrl(internals.url)?.origin ?? internals.url,
    applicationId: internals.applicationId,
  };
  return {
    client,
    get state() {
      return states.current;
    },
    subscribe: (listener) => states.subscribe(listener),
    ...createSignIns(keeper, client),
    ...createSecondFactors(keeper, client),
    signOut: ({ all = false } = {}) => (all ? keeper.leaveEverywhere() : keeper.leave()),
    getAccessToken: ({ minValidity } = {}) =>
      minValidity === undefined ? keeper.token() : keeper.tokenFor(minValidity),
    refresh: async () => {
      await keeper.refresh();
    },
    fetch: createSessionFetch({ credential: keeper, origins, appliance, omitCookies: vault !== null }),
    link: createSessionLink(keeper),
    headers: createLinkHeaders(keeper),
    onStepUp(handler) {
      // Wrapped in a new function, so that a handler set twice counts as two.
      const own: OnStepUp = (need) => handler(need);
      handlers.push(own);
      return () => {
        handlers.splice(handlers.indexOf(own) >>> 0, 1);
      };
    },
    close: () => keeper.close(),
  };
}
