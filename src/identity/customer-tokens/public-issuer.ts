import type { RequestOrigin } from "../../core/caller.ts";
import type { Clock } from "../../core/clock.ts";
import type { SettingsOf } from "../../core/config.ts";
import { AppError } from "../../core/errors.ts";
import { admit } from "../../storage/rate-limits.ts";
import type { ApiKeysTable } from "../../storage/schema.ts";
import type { Storage } from "../../storage/storage.ts";
import { findApiKey } from "../api-keys/public.ts";
import type { Application } from "../applications/application.ts";
import type { Directory } from "../applications/directory.ts";
import { ActIn, ANONYMOUS, placeOf } from "../audit/act.ts";
import type { identitySettings } from "../settings.ts";

/** The services that a lookup needs. */
interface Parts {
  clock: Clock;
  directory: Directory;
  settings: Pick<SettingsOf<typeof identitySettings>, "limit_public_network" | "limit_public_key">;
  storage: Storage;
}

/** A live public key and its application. */
interface PublicKey {
  row: ApiKeysTable;
  application: Application;
}

/**
 * Returns the public key that a request names. Key ids are not secret, so every request counts, right or wrong: by network
 * before any lookup, and by key.
 * @param keyId a plain UUID; null if the given id is not valid
 * @throws AppError `invalid_credentials`, the same for an unknown key, another tenant's key and a key of another kind;
 * `rate_limited`
 */
export async function admitPublicKey(
  identity: Parts,
  tenantId: string | null,
  keyId: string | null,
  origin: RequestOrigin,
): Promise<PublicKey> {
  const now = identity.clock.now();
  const { limit_public_network, limit_public_key } = identity.settings;
  const byNetwork = await identity.storage.write((tx) =>
    admit(tx, `public-issuer:${origin.network}`, limit_public_network, now),
  );
  if (!byNetwork.admitted) throw new AppError("rate_limited", { retryAfter: byNetwork.retryAfter });
  const row = keyId === null ? undefined : await findApiKey(identity.storage.read, keyId);
  if (row?.kind !== "public" || row.tenant_id !== tenantId) throw refused();
  const application = await identity.directory.application(row.application_id);
  const hasEnded = row.revoked_at !== null || (row.expires_at !== null && row.expires_at <= now);
  if (hasEnded || !application || application.disabled || application.tenant.disabled) {
    const act = new ActIn(placeOf(row.tenant_id, row.application_id), origin, ANONYMOUS);
    const target = { kind: "api_key", id: row.id };
    const details = { reason: hasEnded ? "ended" : "application" };
    await identity.storage.write((tx) => act.auditRefusal(tx, now, "api_key.refused", target, details));
    throw refused();
  }
  const byKey = await identity.storage.write((tx) => admit(tx, `public-key:${row.id}`, limit_public_key, now));
  if (!byKey.admitted) throw new AppError("rate_limited", { retryAfter: byKey.retryAfter });
  return { row, application };
}

function refused(): AppError {
  return new AppError("invalid_credentials", {
    message: "The public key is not valid here.",
    challenge: 'Basic realm="public"',
  });
}
