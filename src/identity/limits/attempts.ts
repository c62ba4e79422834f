import { type Clock, HOUR } from "../../core/clock.ts";
import type { Limit } from "../../core/limits.ts";
import { siteOf } from "../../core/network.ts";
import { sha256Base64url } from "../../crypto/secrets.ts";
import { admit, release } from "../../storage/rate-limits.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";
import type { Devices } from "../devices/devices.ts";
import type { Notices } from "../notices/notices.ts";
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

/** Further mails to one address, to requests from one network and from all, once `limit_mail_account` is used up. */
const SPARE_MAIL: Limit = { burst: 1, interval: HOUR };
const SPARE_MAILS: Limit = { burst: 20, interval: HOUR / 20 };

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
    private readonly notices: Notices,
    private readonly settings: AttemptSettings,
  ) {
    this.#counts = new Counts(storage, clock);
  }

  /**
   * Counts one guess, before the work. Give it back when it was right. The owner gets a mail when strangers have used up a limit
   * of the account.
   * @param account the user's id, or the canonical form of an address without an account
   * @param sid the caller's session: its device has signed in
   * @throws AppError `rate_limited`
   */
  async guess(act: Act, secret: Guessable, account: string, sid: string | null = null): Promise<Taken> {
    const source = await this.#sourceOf(act, account, sid);
    const counts = this.#guessCounts(act, secret, account, source);
    return this.#counts.take(act, counts, async (tx, now, key) => {
      // A network's own limit says nothing about this account, and wrong codes of a factor have a notice of their own.
      const isAboutAccount = source.device === null && secret !== "totp" && key.startsWith(keyOf(act, secret, account));
      if (isAboutAccount) await this.notices.guessed(tx, now, act, account);
    });
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

  /**
   * Counts one request for a mail that later requests share, whether or not the account exists. A known device has a count of its
   * own, so that a neighbour in the same network does not use it up.
   * @param account as in {@link guess}
   * @returns the network that it counted against, for {@link giveBackMail}
   * @throws AppError `rate_limited`
   */
  async mailRequest(act: Act, account: string): Promise<string | null> {
    const { device, network } = await this.#sourceOf(act, account, null);
    const { limit_device, limit_mail_network } = this.settings;
    await this.#counts.take(act, [
      device === null
        ? { key: `mail:${network}`, limit: limit_mail_network }
        : { key: `${keyOf(act, "mail", account)}:device:${device}`, limit: limit_device },
    ]);
    return device === null ? network : null;
  }

  /** Counts one mail, by the digest of all that decides it. @returns whether it may be sent while an earlier one is still good */
  async mayMail(tx: Executor, mail: string): Promise<boolean> {
    const now = this.clock.now();
    return (await admit(tx, `mail:${mail}`, this.settings.limit_mail_account, now)).admitted;
  }

  /** Gives back the request of a mail that was used. @param network the network that asked for it */
  async giveBackMail(tx: Executor, network: string): Promise<void> {
    await release(tx, `mail:${network}`, this.settings.limit_mail_network);
  }

  /**
   * Counts one mail that depends on its request, so that no other request can share it. Networks have spare ones, as for
   * guesses.
   * @param purpose the part of the account that asks, so that one does not use up the count of another
   * @returns the network that it counted against, for {@link giveBackMail}
   * @throws AppError `rate_limited`
   */
  async mail(act: Act, purpose: "sign_up" | "addresses" | "primary", account: string): Promise<string> {
    const { network, address } = act.origin;
    const key = keyOf(act, `mail:${purpose}`, account);
    const limit = this.settings.limit_mail_account;
    const spare = [
      { key: `${key}:spare:${siteOf(address)}`, limit: SPARE_MAIL },
      { key: `${key}:spare`, limit: SPARE_MAILS },
    ];
    await this.#counts.take(act, [
      // Only the account itself changes its primary address, so no stranger uses that count up.
      purpose === "primary" ? { key, limit } : { key, limit, spare },
      { key: `mail:${network}`, limit: this.settings.limit_mail_network },
    ]);
    return network;
  }

  /**
   * Counts one mail as {@link mail} does, in the transaction of an act that must not fail because of its mail.
   * @returns false when the address or the network has had its share
   */
  async mayMailSignUp(tx: Executor, act: Act, account: string): Promise<boolean> {
    const now = this.clock.now();
    const toAddress = await admit(tx, keyOf(act, "mail:sign_up", account), this.settings.limit_mail_account, now);
    if (!toAddress.admitted) return false;
    return (await admit(tx, `mail:${act.origin.network}`, this.settings.limit_mail_network, now)).admitted;
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
