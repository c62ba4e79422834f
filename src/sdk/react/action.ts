import { useRef, useState } from "react";
import { useProvided } from "./context.ts";
import { problemOf, type Told } from "./problem.ts";

export interface Action<Input extends unknown[]> {
  run: (...input: Input) => Promise<void>;
  isWaiting: boolean;
  /** The problem to show, or null. */
  problem: string | null;
  /** The work's own message to show, or null. */
  said: string | null;
}

/**
 * The work behind a button: runs once at a time, and reports its failure.
 * @param work may return a message to show
 */
export function useAction<Input extends unknown[]>(
  work: (...input: Input) => Promise<unknown>,
  told?: Told,
): Action<Input> {
  const { texts } = useProvided();
  const [state, setState] = useState({ isWaiting: false, problem: null as string | null, said: null as string | null });
  // Read at the moment of the click, so that two clicks in one frame count as one.
  const isRunning = useRef(false);

  async function run(...input: Input): Promise<void> {
    if (isRunning.current) return;
    isRunning.current = true;
    setState({ isWaiting: true, problem: null, said: null });
    try {
      const answer = await work(...input);
      setState({ isWaiting: false, problem: null, said: typeof answer === "string" ? answer : null });
    } catch (error) {
      setState({ isWaiting: false, problem: problemOf(error, texts, {}, told).summary, said: null });
    } finally {
      isRunning.current = false;
    }
  }

  return { run, ...state };
}
