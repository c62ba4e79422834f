/** Milliseconds. Longer than any request may take, so that only a tab that hangs (a debugger) is passed over. */
const PATIENCE = 45_000;

/** Runs one piece of work at a time among all who hold the same name. */
export type Lock = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * One at a time across the tabs of this origin, by the Web Locks API: whatever spends or replaces the refresh cookie goes
 * through here, since a refresh token that is used twice looks like theft and ends the session. Without Web Locks (old
 * browsers, pages that are no secure context) it is one at a time in this tab, and the appliance's ten seconds of grace
 * cover the others.
 */
export function createLock(name: string): Lock {
  const local = createLocalLock();
  const locks = globalThis.navigator?.locks;
  if (locks === undefined) return local;
  return (work) =>
    local(async () => {
      let outcome: Promise<Awaited<ReturnType<typeof work>>> | undefined;
      try {
        await locks.request(name, { signal: AbortSignal.timeout(PATIENCE) }, () => {
          outcome = work() as Promise<Awaited<ReturnType<typeof work>>>;
          // Its failure is the caller's, and no failure of the lock.
          return outcome.catch(() => undefined);
        });
      } catch {
        // The patience ended, or the page may not use locks (a sandboxed frame).
      }
      return outcome ?? work();
    });
}

function createLocalLock(): Lock {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const run = last.then(work);
    last = run.catch(() => undefined);
    return run;
  };
}
