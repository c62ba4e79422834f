import { DAY, SECOND } from "../../core/clock.ts";
import { newSecret, parseSecret, sha256Base64url } from "../../crypto/secrets.ts";
import type { Executor } from "../../storage/storage.ts";
import { countDevices, insertDevice, isDeviceOf, keepLatestDevices, moveDevices, touchDevice } from "./store.ts";

/** An account, with the tenant that its devices belong to. */
interface Account {
  id: string;
  tenant_id: string;
}

/** A sign-in from a device. */
export interface DeviceVisit {
  /** Whether the device had signed in to this account before. */
  isKnown: boolean;
  /** Whether no device had. */
  isFirst: boolean;
  /** The secret that the device keeps from now on, and for how many seconds. */
  secret: string;
  maxAge: number;
}

/** Browsers keep no cookie for longer. */
export const DEVICE_LIFETIME = 400 * DAY;
/** The devices of one account. Only a right sign-in adds one, and the oldest goes. */
const MOST_DEVICES = 20;

/**
 * The devices that have signed in to an account, by a secret of 256 random bits in a cookie (OWASP's device-cookie protocol,
 * with a row in place of a signature, so that a device can be forgotten). A stranger cannot guess the secret, so a known device
 * keeps limits of its own while strangers use up theirs, and a sign-in without it is one from a new device.
 *
 * The cookie belongs to one tenant and host. It proves nothing about the user, and opens nothing.
 */
export class Devices {
  /**
   * Returns whether this device has signed in to the account before.
   * @param secret the value of the device cookie, or null
   */
  async knows(at: Executor, userId: string, secret: string | null, now: number): Promise<boolean> {
    const digest = digestOf(secret);
    return digest !== null && isDeviceOf(at, { user_id: userId, digest, after: now - DEVICE_LIFETIME });
  }

  /**
   * Remembers a device in the transaction of its sign-in. A device that is new to the account gets a new secret, and the other
   * accounts of the browser move to it: a secret that an attacker has planted in a browser is worthless after the owner's
   * sign-in.
   */
  async visit(tx: Executor, now: number, account: Account, secret: string | null): Promise<DeviceVisit> {
    const { id, tenant_id } = account;
    const maxAge = DEVICE_LIFETIME / SECOND;
    const known = digestOf(secret);
    const after = now - DEVICE_LIFETIME;
    if (secret !== null && known !== null && (await touchDevice(tx, { user_id: id, digest: known, now, after }))) {
      return { isKnown: true, isFirst: false, secret, maxAge };
    }
    const before = await countDevices(tx, id);
    const { text } = newSecret("dv", crypto.randomUUID());
    const digest = sha256Base64url(text);
    if (known !== null) await moveDevices(tx, tenant_id, known, digest);
    await insertDevice(tx, { user_id: id, digest, tenant_id, now });
    if (before >= MOST_DEVICES) await keepLatestDevices(tx, { user_id: id, digest, keep: MOST_DEVICES });
    return { isKnown: false, isFirst: before === 0, secret: text, maxAge };
  }
}

/** Returns null unless the text has the form of a device secret. It reads no database. */
function digestOf(secret: string | null): string | null {
  return secret === null || parseSecret("dv", secret) === null ? null : sha256Base64url(secret);
}
