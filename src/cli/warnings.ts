import { type Clock, MINUTE, SECOND, toWireTime } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { descriptors } from "../http/self-report.ts";

/** Each connection, and the log and the database, take one descriptor. */
export const FEW_DESCRIPTORS = 4_096;
/** A clock that is set right by NTP moves by less. */
const NOTABLE = 2 * SECOND;

/** Warns once if the process may open few files. */
export function warnOfFewDescriptors(log: Log): void {
  const limit = descriptors()?.limit ?? null;
  if (limit === null || limit >= FEW_DESCRIPTORS) return;
  log.warn(
    { limit },
    "The process may open few file descriptors, and each connection takes one. Raise the limit: LimitNOFILE=65536 in the systemd unit.",
  );
}

/**
 * Warns if the clock shows an earlier time than the newest audit entry: it was set back while the process was down. Until it
 * has caught up, limits and lifetimes are longer than they should be.
 */
export function warnOfOldClock(log: Log, clock: Clock, newestAt: number | null): void {
  const now = clock.now();
  if (newestAt === null || newestAt <= now + MINUTE) return;
  log.warn(
    { now: toWireTime(now), newest_entry: toWireTime(newestAt), behind_seconds: Math.round((newestAt - now) / SECOND) },
    "The clock shows an earlier time than the newest audit entry. Check the time synchronisation of this machine.",
  );
}

/**
 * Compares the clock with one that nobody sets, once a minute, and warns each time that it was set back.
 * @param monotonic milliseconds since any start
 * @returns the check itself, which an interval runs
 */
export function clockWatch(log: Log, clock: Clock, monotonic: () => number): () => void {
  let offset = clock.now() - monotonic();
  return () => {
    const next = clock.now() - monotonic();
    const back = offset - next;
    offset = next;
    if (back < NOTABLE) return;
    log.warn(
      { now: toWireTime(clock.now()), back_seconds: Math.round(back / SECOND) },
      "The clock was set back. Check the time synchronisation of this machine.",
    );
  };
}
