import { MINUTE } from "../../core/clock.ts";
import type { Executor } from "../../storage/storage.ts";
import { type AuditEntry, appendAudit, countInWindow } from "./store.ts";

/**
 * A refused sign-in is told too, but a flood of them must not fill the disk: in one minute, what comes from one network
 * for one application is told at the 1st, 10th, 100th, … time, with the count.
 */
export async function appendRefusal(tx: Executor, now: number, entry: AuditEntry): Promise<void> {
  const window = Math.floor(now / MINUTE);
  const key = [window, entry.action, entry.tenantId, entry.applicationId, entry.origin.network].join("|");
  const times = await countInWindow(tx, key, (window + 2) * MINUTE);
  if (!isPowerOfTen(times)) return;
  await appendAudit(tx, now, { ...entry, details: { ...entry.details, times_this_minute: times } });
}

function isPowerOfTen(count: number): boolean {
  while (count > 9 && count % 10 === 0) count /= 10;
  return count === 1;
}
