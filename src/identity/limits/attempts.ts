import type { Clock } from "../../core/clock.ts";
import type { Limit } from "../../core/limits.ts";
import { siteOf } from "../../core/network.ts";
import { sha256Base64url } from "../../crypto/secrets.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";
import type { Devices } from "../devices/devices.ts";
import { type Count, Counts, type Taken } from "./counts.ts";

interface AttemptSettings {
  limit_account: Limit;
  limit_account_total: Limit;
  limit_spare: Limit;
  limit_spare_total: Limit;
  limit_device: Limit;
  limit_network: Limit;
  limit_second_factor: Limit;
  limit_mail_account: Limit;
  limit_mail_network: Limit;
  limit_sign_up: Limit;
  limit_anonymous: Limit;
}

/** A secret that a stranger can guess. Links, passkeys and recovery codes hold 125 random bits or more: no account limit. */
export type Guessable = "password" | "mail-code" | "totp";

/** Where an attempt at an account comes from. */
interface Source {
  /** A name of the device if it has signed in to the account before, otherwise null. */
  device: string | null;
  network: string;
}

/**
 * Counts attempts, so that nobody is locked out and no secret can be guessed. The counts are in the database, so a restart resets
 * nothing. Each account has these budgets for guesses:
 *
 * - A known device has one of its own. Strangers can neither use it up nor get it, because they cannot guess its cookie.
 * - All other devices share a total. Each network may take a small part of it at a time.
 * - Once attackers have used up the total, each network has a few spare guesses. So an owner on a new device and a quiet network
 *   still gets in. The spare guesses have a total too, so that many networks do not add up.
 *
 * So strangers get `limit_account_total` and `limit_spare_total` guesses at one account, from any number of networks. A right
 * answer gives back everything that it took, so only wrong ones count in the end. A reset gives back what strangers have taken.
 */
export class Attempts {
  readonly #counts: Counts;

  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    private readonly devices: Devices,
    private readonly settings: AttemptSettings,
  ) {
    this.#counts = new Counts(storage, clock);
  }

  /**
   * Counts one guess, before the work. Give it back when it was right.
   * @param account the user's id, or the canonical form of an address without an account
   * @param sid the caller's session: its device has signed in
   * @throws AppError `rate_limited`
   */
  async guess(act: Act, secret: Guessable, account: string, sid: string | null = null): Promise<Taken> {
    const source = await this.#sourceOf(act, account, sid);
    return this.#counts.take(act, this.#guessCounts(act, secret, account, source));
  }

  #guessCounts(act: Act, secret: Guessable, account: string, { device, network }: Source): Count[] {
    const { settings } = this;
    const key = keyOf(act, secret, account);
    // A code has six digits, and the caller has proven a first factor: wrong codes in a row are limited to a few a day
    // (NIST SP 800-63B-4 section 3.2.2).
    const isCode = secret === "totp";
    if (device !== null) {
      const own = `${key}:device:${device}`;
      const counts: Count[] = [{ key: own, limit: settings.limit_device, isCleared: true }];
      if (isCode) counts.push({ key: `${own}:in-a-row`, limit: settings.limit_second_factor, isCleared: true });
      return counts;
    }
    const total: Count = isCode
      ? { key: `${key}:in-a-row`, limit: settings.limit_second_factor, isCleared: true }
      : { key, limit: settings.limit_account_total, spare: this.#spare(act, key) };
    return [
      { key: `${key}:${network}`, limit: settings.limit_account, isCleared: true },
      total,
      { key: `network:${network}`, limit: settings.limit_network },
    ];
  }

  #spare({ origin }: Act, key: string): Count[] {
    return [
      { key: `${key}:spare:${siteOf(origin.address)}`, limit: this.settings.limit_spare },
      { key: `${key}:spare`, limit: this.settings.limit_spare_total },
    ];
  }

  /** Gives back what strangers have taken from the account, after its owner has reset the password. */
  async forgive(tx: Executor, act: Act, account: string): Promise<void> {
    for (const secret of ["password", "mail-code", "totp"] as const) {
      const key = keyOf(act, secret, account);
      const { network, address } = act.origin;
      const spare = `${key}:spare`;
      const keys = [key, `${key}:${network}`, `${key}:in-a-row`, spare, `${spare}:${siteOf(address)}`];
      await this.#counts.clear(tx, keys);
    }
  }

  /**
   * Counts the work for a proof that nobody can guess, by network only. It shares no count with guesses, so that a guesser in the
   * same network does not keep a passkey out.
   * @throws AppError `rate_limited`
   */
  work(act: Act, what: "challenge" | "proof"): Promise<Taken> {
    return this.#counts.take(act, [{ key: `${what}:${act.origin.network}`, limit: this.settings.limit_network }]);
  }

  /**
   * Counts a row that a caller with a first factor can make for an account. Callers elsewhere have counts of their own.
   * @throws AppError `rate_limited`
   */
  async row(act: Act, what: string, account: string, limit: Limit, sid: string | null): Promise<void> {
    const { device, network } = await this.#sourceOf(act, account, sid);
    await this.#counts.take(act, [{ key: `${keyOf(act, what, account)}:${device ?? network}`, limit }]);
  }

  /** Counts one mail that a stranger asks for, whether or not the account exists. @throws AppError `rate_limited` */
  async mail(act: Act, account: string): Promise<void> {
    await this.#counts.take(act, [
      { key: keyOf(act, "mail", account), limit: this.settings.limit_mail_account },
      { key: `mail:${act.origin.network}`, limit: this.settings.limit_mail_network },
    ]);
  }

  /** Counts one sign-up. @throws AppError `rate_limited` */
  async signUp(act: Act): Promise<void> {
    await this.#counts.take(act, [{ key: `sign-up:${act.origin.network}`, limit: this.settings.limit_sign_up }]);
  }

  /** Counts one new anonymous user. @throws AppError `rate_limited` */
  async anonymous(act: Act): Promise<void> {
    await this.#counts.take(act, [{ key: `anonymous:${act.origin.network}`, limit: this.settings.limit_anonymous }]);
  }

  async #sourceOf(act: Act, account: string, sid: string | null): Promise<Source> {
    const { network } = act.origin;
    if (sid !== null) return { device: `session:${sid}`, network };
    const secret = act.device();
    const isKnown = await this.devices.knows(this.storage.read, account, secret, this.clock.now());
    return { device: isKnown && secret !== null ? sha256Base64url(secret) : null, network };
  }
}

function keyOf({ application }: Act, what: string, account: string): string {
  return `${what}:${sha256Base64url(`${application.tenant.id}:${account}`)}`;
}
