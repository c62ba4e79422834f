import { useEffect, useRef } from "react";
import type { SignInAnswer, SignInTarget } from "../client/session/sign-ins.ts";
import { useAuth, useSession } from "./hooks.ts";

/** The most renewals of a challenge while one form is shown. A failure with another cause would otherwise repeat for ever. */
const ROUNDS = 5;

/**
 * Offers the user's passkeys among the suggestions of the field with `autocomplete="username webauthn"`, while nobody is
 * signed in. Says nothing if the browser cannot do it or if anything fails before the user chooses a passkey: the other ways
 * remain.
 */
export function usePasskeySuggestions(
  isOffered: boolean,
  target: SignInTarget,
  onAnswer: (answer: SignInAnswer) => Promise<void>,
): void {
  const auth = useAuth();
  const isOut = useSession().status === "signed-out";
  const latest = useRef({ target, onAnswer });
  latest.current = { target, onAnswer };

  useEffect(() => {
    if (!isOffered || !isOut || !auth) return undefined;
    const stop = new AbortController();
    const { signal } = stop;
    const offer = async (): Promise<void> => {
      for (let round = 0; round < ROUNDS && !signal.aborted; round++) {
        try {
          const answer = await auth.signInWithPasskey({ ...latest.current.target, conditional: true, signal });
          return await latest.current.onAnswer(answer);
        } catch (error) {
          // The challenge expired while the form was open. Ask for the next.
          if ((error as { code?: unknown } | null)?.code !== "invalid_code") return;
        }
      }
    };
    // One turn later: React shows components twice in development, and each challenge is a record at the appliance.
    const turn = setTimeout(offer, 0);
    return () => {
      clearTimeout(turn);
      stop.abort();
    };
  }, [isOffered, isOut, auth]);
}
