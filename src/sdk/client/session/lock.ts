import { backoff } from "../../internal/backoff.ts";
import { timeoutSignal } from "../../internal/signals.ts";

/** Milliseconds to wait for another tab: longer than any request takes, including its connection. */
const PATIENCE = 35_000;

/** The same for work that may run twice at once without harm. Tabs that load while another one is frozen wait this long, once. */
export const SHORT_PATIENCE = 10_000;

/** Added at random, so that of several tabs one steals the lock, and the others get it in turn. */
const SPREAD = 4_000;

/**
 * Runs one piece of work at a time among all holders of the same name.
 * @param patience milliseconds after which the work runs although another tab has not finished
 */
export type Lock = <T>(work: () => Promise<T>, patience?: number) => Promise<T>;

/**
 * One at a time across the tabs of this origin, by the Web Locks API. Every request that spends or replaces the refresh cookie
 * goes through it, because a refresh token used twice looks like theft and ends the session. Without Web Locks (old browsers,
 * pages outside a secure context) the lock covers this tab only, and the appliance's two minutes of grace cover the others.
 *
 * The browser freezes tabs, and a frozen tab never releases its lock. A tab that has waited long enough steals it, so that the
 * tabs behind it wait for a tab that is alive. If the first one was only slow, two refreshes run at once, which the grace covers.
 */
export function createLock(name: string): Lock {
  const local = createLocalLock();
  const locks = globalThis.navigator?.locks;
  if (locks === undefined) return local;
  return (work, patience = PATIENCE) =>
    local(async () => {
      let outcome: Promise<Awaited<ReturnType<typeof work>>> | undefined;
      const run = () => {
        outcome = work() as Promise<Awaited<ReturnType<typeof work>>>;
        // The caller handles the work's failure. It is not a failure of the lock.
        return outcome.catch(() => undefined);
      };
      try {
        await locks.request(name, { signal: timeoutSignal(patience + backoff(0, SPREAD, SPREAD)) }, run);
      } catch {
        // The wait timed out, another tab stole the lock, or the page may not use locks (a sandboxed frame).
        if (!outcome) await locks.request(name, { steal: true }, run).catch(() => {});
      }
      return outcome ?? work();
    });
}

export function createLocalLock(): Lock {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const run = last.then(work);
    last = run.catch(() => undefined);
    return run;
  };
}
