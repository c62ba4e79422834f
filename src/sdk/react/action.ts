import { useRef, useState } from "react";
import { useProvided } from "./context.ts";
import { problemOf, type Told } from "./problem.ts";

export interface Action<Input extends unknown[]> {
  run: (...input: Input) => Promise<void>;
  isWaiting: boolean;
  /** What went wrong, to be told; null for nothing. */
  problem: string | null;
  /** What the work answered, to be told. */
  said: string | null;
}

/** Something that a button does: one at a time, and told when it went wrong. */
export function useAction<Input extends unknown[]>(
  work: (...input: Input) => Promise<string | undefined | void>,
  told?: Told,
): Action<Input> {
  const { texts } = useProvided();
  const [state, setState] = useState({ isWaiting: false, problem: null as string | null, said: null as string | null });
  // Read at the moment of the click: two in one frame are one.
  const isRunning = useRef(false);

  async function run(...input: Input): Promise<void> {
    if (isRunning.current) return;
    isRunning.current = true;
    setState({ isWaiting: true, problem: null, said: null });
    try {
      const said = (await work(...input)) ?? null;
      setState({ isWaiting: false, problem: null, said });
    } catch (error) {
      setState({ isWaiting: false, problem: problemOf(error, texts, {}, told).summary, said: null });
    } finally {
      isRunning.current = false;
    }
  }

  return { run, ...state };
}
