import { MINUTE } from "../../core/clock.ts";
import type { Executor } from "../../storage/storage.ts";
import { type AuditEntry, appendAudit, countInWindow } from "./store.ts";

/**
 * Records a refused sign-in without letting a flood fill the disk: of the refusals from one network for one application in one
 * minute, it records the 1st, 10th, 100th, …, each with the count.
 */
export async function appendRefusal(tx: Executor, now: number, entry: AuditEntry): Promise<void> {
  const window = Math.floor(now / MINUTE);
  const key = [window, entry.action, entry.tenantId, entry.applicationId, entry.origin.network].join("|");
  const times = await countInWindow(tx, key, (window + 2) * MINUTE);
  if (!isPowerOfTen(times)) return;
  appendAudit(tx, now, { ...entry, details: { ...entry.details, times_this_minute: times } });
}

function isPowerOfTen(count: number): boolean {
  while (count > 9 && count % 10 === 0) count /= 10;
  return count === 1;
}
