import type { SallyportError } from "../../internal/errors.ts";
import type { User } from "../api.gen.ts";

/** The access token's claims about its session, under their own names. For display only: a page cannot vouch for them. */
export interface SessionClaims {
  /** The user's id. */
  sub: string;
  /** UUID, unchanged by refreshes. */
  sid: string;
  aal: "aal1" | "aal2";
  /** RFC 8176 values. */
  amr: string[];
  auth_method: string;
  /** Unix seconds of the original authentication. */
  auth_time: number;
  org: string | null;
  org_role: string | null;
}

/**
 * The signed-in user, as far as this page knows. `error` says why that is unknown, or why the last refresh failed; it does not
 * change the signed-in user.
 */
export type SessionState =
  /** Not known yet, because the appliance has not answered. */
  | { status: "loading"; user: null; session: null; error: SallyportError | null }
  | { status: "signed-in"; user: User; session: SessionClaims; error: SallyportError | null }
  | { status: "signed-out"; user: null; session: null; error: SallyportError | null; reason: SignedOutReason };

/** `none`: nobody was signed in; `sign-out`: in this tab or another; `ended`: it expired, or was ended from elsewhere. */
export type SignedOutReason = "none" | "sign-out" | "ended";

export type StateListener = (state: SessionState) => void;

/** The current state and its listeners. */
export class SessionStates {
  current: SessionState = { status: "loading", user: null, session: null, error: null };
  readonly #listeners = new Set<StateListener>();

  set(state: SessionState): void {
    this.current = state;
    for (const listener of [...this.#listeners]) listener(state);
  }

  subscribe(listener: StateListener): () => void {
    // Wrapped in a new function, so that a function subscribed twice counts as two subscriptions.
    const own: StateListener = (state) => listener(state);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }
}

/** Reads the claims of a token that came straight from the appliance. @returns null unless it is an access token */
export function readClaims(token: string): SessionClaims | null {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof claims.sub !== "string" || typeof claims.sid !== "string") return null;
    const { sub, sid, aal, amr, auth_method, auth_time, org = null, org_role = null } = claims;
    return { sub, sid, aal, amr, auth_method, auth_time, org, org_role };
  } catch {
    return null;
  }
}
