import type { Clock } from "../../core/clock.ts";
import { SECOND } from "../../core/clock.ts";
import { newId } from "../../core/ids.ts";
import { newSecret, parseSecret } from "../../crypto/secrets.ts";
import type { Executor } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";
import type { Application } from "../applications/application.ts";
import { insertTrustedDevice, touchTrustedDevice } from "./store.ts";

export interface TrustedDevice {
  id: string;
  /** In ms. */
  expiresAt: number;
}

/**
 * Devices that skip the second factor for as long as the application allows. Only the device holds the secret (in an HttpOnly
 * cookie, or in the caller's own store). A sign-in from a trusted device stays `aal1`, because one factor was proven.
 */
export class TrustedDevices {
  constructor(private readonly clock: Clock) {}

  /** Returns the device of the secret; null unless this user trusts it for this application. */
  async recognise(
    tx: Executor,
    application: Application,
    userId: string,
    secret: string | null,
  ): Promise<TrustedDevice | null> {
    const parsed = secret === null || application.mfaRemember === 0 ? null : parseSecret("td", secret);
    if (!parsed) return null;
    const row = await touchTrustedDevice(tx, {
      id: parsed.keyId,
      user_id: userId,
      application_id: application.id,
      secret_digest: parsed.digest,
      now: this.clock.now(),
    });
    return row ? { id: row.id, expiresAt: row.expires_at } : null;
  }

  /** Trusts a device. @returns the secret, once, and its lifetime in seconds; null where the application remembers no device */
  async trust(tx: Executor, now: number, act: Act, userId: string): Promise<{ secret: string; maxAge: number } | null> {
    const { application, origin } = act;
    if (application.mfaRemember === 0) return null;
    const id = newId(now);
    const { text, digest } = newSecret("td", id);
    await insertTrustedDevice(tx, {
      id,
      tenant_id: application.tenant.id,
      application_id: application.id,
      user_id: userId,
      secret_digest: digest,
      user_agent: origin.userAgent,
      created_at: now,
      last_used_at: null,
      expires_at: now + application.mfaRemember * SECOND,
    });
    await act.audit(tx, now, "trusted_device.added", { kind: "trusted_device", id });
    return { secret: text, maxAge: application.mfaRemember };
  }
}
