/** Milliseconds. Longer than any request, so only a tab that hangs (in a debugger) is passed over. */
const PATIENCE = 45_000;

/** Runs one piece of work at a time among all holders of the same name. */
export type Lock = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * One at a time across the tabs of this origin, by the Web Locks API. Every request that spends or replaces the refresh cookie
 * goes through it, because a refresh token used twice looks like theft and ends the session. Without Web Locks (old browsers,
 * pages outside a secure context) the lock covers this tab only, and the appliance's two minutes of grace cover the others.
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
          // The caller handles the work's failure. It is not a failure of the lock.
          return outcome.catch(() => undefined);
        });
      } catch {
        // The wait timed out, or the page may not use locks (a sandboxed frame).
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
