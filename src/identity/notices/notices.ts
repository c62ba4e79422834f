import { DAY, toWireTime } from "../../core/clock.ts";
import type { Limit } from "../../core/limits.ts";
import { sha256Base64url } from "../../crypto/secrets.ts";
import type { Outbox } from "../../mail/outbox.ts";
import type { TemplateName } from "../../mail/templates/template.ts";
import { admit } from "../../storage/rate-limits.ts";
import type { Executor } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";
import { SYSTEM, userRef } from "../audit/act.ts";
import type { DeviceVisit } from "../devices/devices.ts";
import type { NoticeKind } from "../tenants/notice-kinds.ts";
import { findNoticeAddress } from "../users/emails/public.ts";
import type { UserRow } from "../users/wire.ts";
import { describeDevice } from "./device.ts";

export interface Notice {
  kind: NoticeKind;
  template: TemplateName;
  userId: string;
  /** Added to `application`, `device`, `address` and `time`. */
  values?: Readonly<Record<string, string>>;
  /** The recipient, if it is not the primary address: the address before a change. */
  to?: string;
}

/** A notice that could not be sent for this long is no longer useful. */
const LIFETIME = 3 * DAY;
const ONCE_A_DAY: Limit = { burst: 1, interval: DAY };

/** Returns a time as mails write it: `2026-03-01 12:00 UTC`. */
export function momentOf(now: number): string {
  return `${toWireTime(now).slice(0, 16).replace("T", " ")} UTC`;
}

/** Security notices. They are written in the transaction of their event, and go to the address of {@link findNoticeAddress}. */
export class Notices {
  constructor(
    private readonly outbox: Outbox,
    private readonly limit: Limit,
  ) {}

  /**
   * A notice that sign-ins or buttons can cause repeatedly is sent only a few times an hour: an attacker may want to bury the
   * important mail. An unproven address gets notices only while the account has no other, because it may belong to a stranger.
   */
  async notify(tx: Executor, now: number, act: Act, notice: Notice): Promise<void> {
    if (act.application.tenant.noticesOff.has(notice.kind)) return;
    const to = notice.to ?? (await findNoticeAddress(tx, notice.userId));
    if (to === null) return;
    if (!(await this.#isAdmitted(tx, now, act, notice, to))) return;
    await this.#queue(tx, now, act, notice, to);
  }

  /**
   * Reports guesses at an account to its owner, once a day at most, because an attacker causes this mail. It does the same work
   * where there is no account, so that no guesser learns who has one.
   * @param account the user's id, or the canonical form of an address without an account
   */
  async guessed(tx: Executor, now: number, act: Act, account: string): Promise<void> {
    const { tenant } = act.application;
    const notice = { kind: "password", template: "guessed", userId: account } as const;
    if (tenant.noticesOff.has(notice.kind)) return;
    const to = await findNoticeAddress(tx, account);
    const key = `notice:guessed:${sha256Base64url(`${tenant.id}:${account}`)}`;
    if ((await admit(tx, key, ONCE_A_DAY, now)).admitted) await this.#queue(tx, now, act, notice, to);
  }

  async #queue(tx: Executor, now: number, act: Act, notice: Notice, to: string | null): Promise<void> {
    const { application, origin } = act;
    await this.outbox.queue(tx, {
      tenant: application.tenant,
      to,
      // A deleted user's mails are deleted too, except the notice of the deletion.
      userId: notice.kind === "account" || to === null ? null : notice.userId,
      template: notice.template,
      values: {
        application: application.name,
        device: describeDevice(origin.userAgent) ?? "",
        address: origin.address,
        time: momentOf(now),
        ...notice.values,
      },
      languages: origin.languages ?? null,
      expiresAt: now + LIFETIME,
    });
  }

  /**
   * Counts by template and by recipient, so that a flood of one kind, or to the attacker's own address, does not use up the
   * notices to others. A mail that can undo something (by its link) is never held back.
   */
  async #isAdmitted(tx: Executor, now: number, act: Act, notice: Notice, to: string): Promise<boolean> {
    const { template, userId } = notice;
    if (notice.values?.link !== undefined || notice.kind === "account") return true;
    const key = `notice:${template}:${sha256Base64url(`${userId}:${to}`)}`;
    const { admitted } = await admit(tx, key, this.limit, now);
    if (admitted) return true;
    await act.by(SYSTEM).auditSparsely(tx, now, "notice.withheld", userRef(userId), { template });
    return false;
  }

  /**
   * Sends a notice if a new session comes from a device that the user has not signed in with before. A device is known by its
   * cookie: a thief of the password can imitate the owner's browser and system, but not the cookie.
   */
  async seen(tx: Executor, now: number, act: Act, user: UserRow, visit: DeviceVisit): Promise<void> {
    if (visit.isKnown || visit.isFirst) return;
    await this.notify(tx, now, act, { kind: "new_device", template: "new_device", userId: user.id });
  }
}
