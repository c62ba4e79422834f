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

/**
 * Something that a button does: one at a time, and told when it went wrong.
 * @param work answers a text where there is something to say
 */
export function useAction<Input extends unknown[]>(
  work: (...input: Input) => Promise<unknown>,
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
