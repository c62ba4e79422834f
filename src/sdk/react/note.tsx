import type { ReactElement } from "react";
import { useProvided } from "./context.ts";
import { useSession } from "./hooks.ts";
import { problemOf } from "./problem.ts";

/** Explains why nobody is signed in, if needed: the session ended, or the page is set up wrongly. */
export function Note(): ReactElement | null {
  const { texts, hasNotice } = useProvided();
  const state = useSession();
  if (state.status !== "signed-out") return null;
  const problem = state.error && !hasNotice ? problemOf(state.error, texts, {}).summary : null;
  const text = problem ?? (state.reason === "ended" && texts.sessionEnded);
  return text ? (
    <p className="sallyport-note" role="status">
      {text}
    </p>
  ) : null;
}
