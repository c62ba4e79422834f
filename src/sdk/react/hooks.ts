import { useSyncExternalStore } from "react";
import type { User } from "../client/api.gen.ts";
import type { SallyportSession } from "../client/session/create-session.ts";
import type { SessionState } from "../client/session/state.ts";
import { useProvided } from "./context.ts";

const UNKNOWN: SessionState = { status: "loading", user: null, session: null, error: null };
const nothingToHear = () => () => {};
const unknown = () => UNKNOWN;

/** Who is signed in, kept up to date: `status`, `user`, `session`, `error`. While rendering on a server: `loading`. */
export function useSession(): SessionState {
  const { session } = useProvided();
  return useSyncExternalStore(session?.subscribe ?? nothingToHear, session ? () => session.state : unknown, unknown);
}

/** The person who is signed in; null when nobody is, or it is not known yet. */
export function useUser(): User | null {
  return useSession().user;
}

/** What may be done: the session's `signIn`, `signOut`, `stepUp`, `fetch`, … and the typed `client`. */
export type Auth = Omit<SallyportSession, "state" | "subscribe" | "link" | "headers" | "close">;

/** @returns null while rendering on a server; in a page always the same object */
export function useAuth(): Auth | null {
  return useProvided().session;
}

/** As {@link useAuth}, for what happens in a page: a click, an effect. @throws Error without a session */
export function usePageAuth(): () => Auth {
  const { session } = useProvided();
  return () => {
    if (!session) throw new Error("There is no session here: <SallyportProvider session> is null.");
    return session;
  };
}
