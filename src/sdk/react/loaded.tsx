import { type ReactElement, type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { useProvided } from "./context.ts";
import { problemOf } from "./problem.ts";

export interface Load<T> {
  /** null until it is loaded. */
  data: T | null;
  error: unknown;
  /** Loads again. The current data stays until the answer. */
  reload: () => Promise<void>;
}

/** Loads data from the appliance when the component is shown. */
export function useLoaded<T>(load: () => Promise<T>): Load<T> {
  const [state, setState] = useState<{ data: T | null; error: unknown }>({ data: null, error: null });
  const latest = useRef(load);
  latest.current = load;
  // Drops the answers to older requests, and those that come after the component is gone.
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

/** Shows loaded data. Until then, says that it is loading, or why it failed, with a button to try again. */
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
