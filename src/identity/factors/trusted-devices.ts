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

  /** Returns the device of one of the secrets; null unless this user trusts one for this application. */
  async recognise(
    tx: Executor,
    application: Application,
    userId: string,
    secrets: readonly string[],
  ): Promise<TrustedDevice | null> {
    if (application.mfaRemember === 0) return null;
    for (const secret of secrets) {
      const parsed = parseSecret("td", secret);
      const row =
        parsed &&
        (await touchTrustedDevice(tx, {
          id: parsed.keyId,
          user_id: userId,
          application_id: application.id,
          secret_digest: parsed.digest,
          now: this.clock.now(),
        }));
      if (row) return { id: row.id, expiresAt: row.expires_at };
    }
    return null;
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
