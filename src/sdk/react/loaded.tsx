import { type ReactElement, type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { useProvided } from "./context.ts";
import { problemOf } from "./problem.ts";

export interface Load<T> {
  /** null until it is there. */
  data: T | null;
  error: unknown;
  /** Once more; what is there stays until the answer. */
  reload: () => Promise<void>;
}

/** What a component shows and the appliance knows, asked for once it is shown. */
export function useLoaded<T>(load: () => Promise<T>): Load<T> {
  const [state, setState] = useState<{ data: T | null; error: unknown }>({ data: null, error: null });
  const latest = useRef(load);
  latest.current = load;
  // Answers to what was asked before, and after the component is gone, are dropped.
  const asked = useRef(0);

  const reload = useCallback(async () => {
    asked.current++;
    const turn = asked.current;
    const next = await latest.current().then(
      (data) => ({ data, error: null }),
      (error: unknown) => ({ data: null, error }),
    );
    if (turn === asked.current) setState(next);
  }, []);

  useEffect(() => {
    reload();
    return () => {
      asked.current++;
    };
  }, [reload]);

  return { ...state, reload };
}

/** Shows what has been loaded; until then that it is, or why not and the way to try again. */
export function Loaded<T>({ of, children }: { of: Load<T>; children: (data: T) => ReactNode }): ReactElement {
  const { texts } = useProvided();
  if (of.data !== null) return <>{children(of.data)}</>;
  if (of.error === null) {
    return (
      <p className="sallyport-hint" role="status">
        {texts.loading}
      </p>
    );
  }
  return (
    <div className="sallyport-problem" role="alert">
      <p>{problemOf(of.error, texts, {}).summary}</p>
      <button type="button" className="sallyport-button" onClick={() => of.reload()}>
        {texts.tryAgain}
      </button>
    </div>
  );
}
