/** Runs `work` at most once at a time: calls that come meanwhile share its answer, and the next call after it starts anew. */
export function singleFlight<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null;
  return () => {
    running ??= work().finally(() => {
      running = null;
    });
    return running;
  };
}
