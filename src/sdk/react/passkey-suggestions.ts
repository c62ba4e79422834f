import { useEffect, useRef } from "react";
import type { SignInAnswer, SignInTarget } from "../client/session/sign-ins.ts";
import { useAuth, useSession } from "./hooks.ts";

/** Challenges are renewed as often, in one showing of a form: what fails for another reason would fail for ever. */
const ROUNDS = 5;

/**
 * Offers the person's passkeys among the suggestions of the field with `autocomplete="username webauthn"`, as long as nobody
 * is signed in. Where the browser cannot, and whatever goes wrong before the person chose one, nothing is said: the other
 * ways are there.
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
          // The challenge had grown old while the form stood there: the next one is asked for.
          if ((error as { code?: unknown } | null)?.code !== "invalid_code") return;
        }
      }
    };
    // A turn later: React shows components twice in development, and each challenge is a record at the appliance.
    const turn = setTimeout(offer, 0);
    return () => {
      clearTimeout(turn);
      stop.abort();
    };
  }, [isOffered, isOut, auth]);
}
