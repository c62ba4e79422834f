import { type MasterKeys, SealError } from "../crypto/master-key.ts";
import type { Storage } from "../storage/storage.ts";
import { revokeTokens } from "./applications/revoke-tokens.ts";
import { placeOf, systemAct } from "./audit/act.ts";
import { endEverySignIn } from "./flows/public.ts";
import type { Identity } from "./identity.ts";
import { MasterKeyMismatch } from "./keys/data-keys.ts";
import { getSetting, listAllSigningKeys, listDataKeys, MASTER_KEY_CHECK } from "./keys/public.ts";
import { endEverySessionRow } from "./sessions/public.ts";
import { listTenants } from "./tenants/public.ts";

/**
 * Opens every seal of a database without creating any. A database without the master key's check value is refused, instead of
 * taken for a new one.
 * @throws MasterKeyMismatch
 */
export async function requireOpenable(storage: Storage, master: MasterKeys): Promise<void> {
  if ((await getSetting(storage.read, MASTER_KEY_CHECK)) === undefined) {
    throw new MasterKeyMismatch(
      "The database holds no check value of a master key, so it is incomplete. Restore a complete backup.",
    );
  }
  try {
    for (const { purpose, version, sealed } of await listDataKeys(storage.read)) {
      master.open(sealed, { keyId: `${purpose}:${version}`, purpose });
    }
    for (const { id, sealed_private } of await listAllSigningKeys(storage.read)) {
      master.open(sealed_private, { keyId: id, purpose: "signing-key" });
    }
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    throw new MasterKeyMismatch(
      "The master key does not open this data. Use the master key of its original instance " +
        "(SALLYPORT_MASTER_KEY_FILE).",
    );
  }
}

/** Ends every session of every tenant, with every sign-in that is under way, and tells verifiers. @returns how many sessions ended */
export async function endEverySession(identity: Pick<Identity, "clock" | "storage">): Promise<number> {
  const { storage, clock } = identity;
  return storage.write(async (tx) => {
    const now = clock.now();
    await endEverySignIn(tx, now);
    const ended = await endEverySessionRow(tx, now, "revoked");
    for (const tenant of await listTenants(tx)) {
      await revokeTokens(tx, now, { tenantId: tenant.id, applicationId: null, kind: "tenant", id: tenant.id });
    }
    const details = { reason: "restored", sessions: ended };
    await systemAct(placeOf(null)).audit(tx, now, "sessions.ended", null, details);
    return ended;
  });
}
