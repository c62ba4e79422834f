import type { ReactElement } from "react";
import type { Action } from "./action.ts";
import { useProvided } from "./context.ts";

type State = Pick<Action<[]>, "isWaiting" | "problem" | "said">;

/** Reports an action's progress in a live region that exists from the start, and shows its problem beside it. */
export function ActionStatus({ action, waiting }: { action: State; waiting?: string }): ReactElement {
  const { texts } = useProvided();
  return (
    <>
      <p className="sallyport-status" role="status">
        {action.isWaiting ? (waiting ?? texts.loading) : (action.said ?? "")}
      </p>
      {action.problem !== null && (
        <p className="sallyport-field-problem" role="alert">
          {action.problem}
        </p>
      )}
    </>
  );
}
