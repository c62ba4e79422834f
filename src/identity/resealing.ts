import { type MasterKeys, type SealContext, sealedVersion } from "../crypto/master-key.ts";
import type { Executor, Storage } from "../storage/storage.ts";
import { replaceKeySeal, sealedApiKeys } from "./api-keys/public.ts";
import { placeOf, systemAct } from "./audit/act.ts";
import { resealCheck } from "./keys/data-keys.ts";
import { listDataKeys, replaceDataKeySeal, replaceSigningKeySeal, sealedSigningKeys } from "./keys/public.ts";

/** A value under the master key: how to open it, and how to replace it unless it has changed meanwhile. */
interface Seal {
  sealed: Uint8Array;
  context: SealContext;
  replace(tx: Executor, by: Uint8Array): Promise<boolean>;
}

/** Seals in one transaction, so that the writer is free again after some milliseconds. */
const BATCH = 100;

/**
 * Seals again, under the newest version, everything that an older version of the master key sealed. The old version must still be
 * given. Each batch is a transaction, and a seal says its version, so that a run that was killed goes on where it was. The check
 * value comes last: until the end, an instance without the old key refuses to start.
 * @param onBatch gets the number of seals that were renewed so far
 * @returns how many it renewed, with the check value
 * @throws SealError if a version is missing
 */
export async function reseal(
  storage: Storage,
  master: MasterKeys,
  now: number,
  onBatch: (done: number) => void = () => undefined,
): Promise<number> {
  let done = 0;
  for (let changed = -1; changed !== 0; ) {
    changed = await storage.write(async (tx) => {
      let count = 0;
      for (const { sealed, context, replace } of await outdated(tx, master.currentVersion, BATCH)) {
        if (await replace(tx, master.seal(master.open(sealed, context), context))) count++;
      }
      return count;
    });
    done += changed;
    if (changed > 0) onBatch(done);
  }
  await storage.write(async (tx) => {
    const isRenewed = await resealCheck(tx, master);
    if (isRenewed) done++;
    if (done === 0) return;
    const details = { version: master.currentVersion, seals: done };
    await systemAct(placeOf(null)).audit(tx, now, "master_key.changed", null, details);
  });
  return done;
}

/** Returns the next seals that another version than `current` made. */
async function outdated(tx: Executor, current: number, limit: number): Promise<Seal[]> {
  const found: Seal[] = [];
  for (const row of await listDataKeys(tx)) {
    const { purpose, version } = row;
    const context = { keyId: `${purpose}:${version}`, purpose };
    found.push({ sealed: row.sealed, context, replace: (at, by) => replaceDataKeySeal(at, row, by) });
  }
  for (const row of await sealedSigningKeys(tx, current, limit)) {
    const context = { keyId: row.id, purpose: "signing-key" };
    found.push({ sealed: row.sealed_private, context, replace: (at, by) => replaceSigningKeySeal(at, row, by) });
  }
  for (const row of await sealedApiKeys(tx, current, limit)) {
    const context = { keyId: row.id, purpose: `api-key:${row.kind}` };
    found.push({ sealed: row.sealed, context, replace: (at, by) => replaceKeySeal(at, row, by) });
  }
  return found.filter(({ sealed }) => sealedVersion(sealed) !== current).slice(0, limit);
}
