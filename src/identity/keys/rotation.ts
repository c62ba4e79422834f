import type { Clock } from "../../core/clock.ts";
import type { Storage } from "../../storage/storage.ts";
import { listTenants } from "../tenants/public.ts";
import { type Keyring, ROTATE_AFTER } from "./keyring.ts";

/** Publishes a successor for every key that has signed for 90 days and has no successor yet. */
export async function rotateDueKeys(storage: Storage, clock: Clock, keyring: Keyring): Promise<void> {
  const now = clock.now();
  for (const tenant of await listTenants(storage.read)) {
    if (tenant.disabled_at !== null) continue;
    for (const key of await keyring.keys(tenant.id)) {
      if (key.retiredAt === null && now - key.activeAt > ROTATE_AFTER) await keyring.rotate(tenant.id, key.algorithm);
    }
  }
}
