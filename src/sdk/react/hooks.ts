import { useSyncExternalStore } from "react";
import type { User } from "../client/api.gen.ts";
import type { SallyportSession } from "../client/session/create-session.ts";
import type { SessionState } from "../client/session/state.ts";
import { useProvided } from "./context.ts";

const UNKNOWN: SessionState = { status: "loading", user: null, session: null, error: null };
const nothingToHear = () => () => {};
const unknown = () => UNKNOWN;

/** The current session state: `status`, `user`, `session`, `error`. On a server it is `loading`. */
export function useSession(): SessionState {
  const { session } = useProvided();
  return useSyncExternalStore(session?.subscribe ?? nothingToHear, session ? () => session.state : unknown, unknown);
}

/** The signed-in user; null if nobody is signed in, or if it is not known yet. */
export function useUser(): User | null {
  return useSession().user;
}

/** The session's actions: `signIn`, `signOut`, `stepUp`, `fetch`, … and the typed `client`. */
export type Auth = Omit<SallyportSession, "state" | "subscribe" | "link" | "headers" | "close">;

/** @returns null on a server; in a page always the same object */
export function useAuth(): Auth | null {
  return useProvided().session;
}

/** Like {@link useAuth}, for code that runs only in a page: a click, an effect. @throws Error without a session */
export function usePageAuth(): () => Auth {
  const { session } = useProvided();
  return () => {
    if (!session)
      throw new Error("There is no session, because <SallyportProvider session> is null. Call this only in a page.");
    return session;
  };
}
