import type { TestApp } from "./app.ts";

/**
 * Runs `act` after the reads and the slow work of the next call, and before its `nth` write, so that a race that
 * happens by chance happens every time.
 */
export function beforeWrite(app: TestApp, nth: number, act: () => Promise<unknown>): void {
  const write = app.storage.write.bind(app.storage);
  let left = nth;
  app.storage.write = async (work) => {
    left--;
    if (left === 0) {
      app.storage.write = write;
      await act();
    }
    return write(work);
  };
}
