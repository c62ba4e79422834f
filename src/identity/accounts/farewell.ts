import { createHmac } from "node:crypto";
import { DAY } from "../../core/clock.ts";
import { MasterKeys } from "../../crypto/master-key.ts";
import type { Executor } from "../../storage/storage.ts";
import type { Act } from "../applications/act.ts";
import { linkOf } from "../email-proofs/link.ts";
import type { EmailProofs } from "../email-proofs/proofs.ts";
import type { Notices } from "../notices/notices.ts";
import { findNoticeAddress, formerEmailsOf, provenEmailsOf } from "../users/emails/public.ts";
import { findUser } from "../users/public.ts";
import { isStanding } from "./standing.ts";

/** How long a deleted account can be restored, and a removed address hears of the deletion. */
export const FAREWELL_TIME = 7 * DAY;

/** The part of an account that comes back. */
export interface Kept {
  userId: string;
  address: string;
  canonical: string;
  displayName: string | null;
  publicMetadata: string;
  privateMetadata: string;
}

interface Recipient {
  address: string;
  canonical: string;
  /** Whether the reader of this address may restore the account. */
  mayRestore: boolean;
}

/** A notice of a deletion, prepared while the account is still there. */
export interface Farewell {
  recipients: readonly Recipient[];
  kept: Omit<Kept, "address" | "canonical"> | null;
}

const CONTEXT = { keyId: "account", purpose: "restore-account" };

/**
 * Reports the deletion of an account to each address that it has, or had in the last seven days: an intruder who removes the
 * owner's address first must not delete in silence.
 *
 * If the user deleted the account, the mail has a way back. The data is deleted at once all the same. A sealed copy of the profile
 * stays for seven days, and only the link in the mail opens it, so that neither the operator nor a thief of the database can read
 * it. The credentials do not come back, because an intruder may have added them. Only the address that was proven first has a
 * link, and each that {@link isStanding}: an intruder's own address of yesterday has none. If a backend deleted the account,
 * there is no link: a person whom an operator removed must not come back alone.
 */
export class Farewells {
  constructor(
    private readonly notices: Notices,
    private readonly emailProofs: EmailProofs,
  ) {}

  /** Reads the recipients before the deletion removes them. */
  async prepare(tx: Executor, now: number, act: Act, userId: string): Promise<Farewell> {
    const user = await findUser(tx, act.application.tenant.id, userId);
    const isOwn = act.actor.kind === "user" && act.actor.id === userId;
    const current = await provenEmailsOf(tx, userId);
    const oldest = firstProof(current);
    // As with the undo of a change: an address that the account gave up does not beat one that it had for a week by then. An
    // address that joined after the others may have been an intruder's, which the owner then removed.
    const isBehind = (row: { verified_at: number; removed_at: number }) =>
      row.verified_at > oldest || isStanding({ verified_at: oldest }, row.removed_at);
    const present = new Set(current.map(({ canonical }) => canonical));
    const former = (await formerEmailsOf(tx, userId, now - FAREWELL_TIME)).filter((row) => !present.has(row.canonical));
    const candidates = [...current, ...former.filter((row) => !isBehind(row))];
    const first = firstProof(candidates);
    // An intruder proves an address in minutes. With a link to it, the intruder would delete the account and be the first to
    // restore it, as the only owner.
    const owners = new Set(candidates.filter((row) => row.verified_at === first || isStanding(row, now)));
    const recipients = [...current, ...former].map((row) => ({ ...row, mayRestore: isOwn && owners.has(row) }));
    const only = recipients.length === 0 ? await findNoticeAddress(tx, userId) : null;
    // An unproven address may be a stranger's, so it hears of the deletion but gets no link to the data.
    if (only !== null) recipients.push({ address: only, canonical: only, verified_at: null, mayRestore: false });
    const kept = user && {
      userId,
      displayName: user.display_name,
      publicMetadata: user.public_metadata,
      privateMetadata: user.private_metadata,
    };
    return { recipients, kept: kept ?? null };
  }

  async send(tx: Executor, now: number, act: Act, { recipients, kept }: Farewell): Promise<void> {
    const { application } = act;
    if (!kept || application.tenant.noticesOff.has("account")) return;
    for (const { address, canonical, mayRestore } of recipients) {
      const link = mayRestore ? await this.#wayBack(tx, act, { ...kept, address, canonical }) : "";
      await this.notices.notify(tx, now, act, {
        kind: "account",
        template: "account_deleted",
        userId: kept.userId,
        to: address,
        values: { link, days: link === "" ? "" : String(FAREWELL_TIME / DAY) },
      });
    }
  }

  /** The flow names no user and no address in the clear: a deleted person leaves no trace in it. */
  async #wayBack(tx: Executor, { application }: Act, kept: Kept): Promise<string> {
    const { tenant } = application;
    const { token } = await this.emailProofs.start(tx, {
      kind: "restore_account",
      tenantId: tenant.id,
      applicationId: application.id,
      userId: null,
      state: (secret) => ({ sealed: sealKept(secret, kept), email: null }),
      lifetime: FAREWELL_TIME,
    });
    return linkOf(tenant, token);
  }
}

/** Returns when the first of these addresses was proven, in ms. */
function firstProof(rows: readonly { verified_at: number | null }[]): number {
  return Math.min(...rows.map(({ verified_at }) => verified_at ?? Number.POSITIVE_INFINITY));
}

function keyOf(token: string): MasterKeys {
  return new MasterKeys(new Map([[1, createHmac("sha256", token).update("restore-account").digest()]]));
}

function sealKept(token: string, kept: Kept): string {
  return Buffer.from(keyOf(token).seal(Buffer.from(JSON.stringify(kept)), CONTEXT)).toString("base64url");
}

/** @throws SealError unless the token is that of the link */
export function openKept(token: string, sealed: string): Kept {
  const opened = keyOf(token).open(Buffer.from(sealed, "base64url"), CONTEXT);
  return JSON.parse(Buffer.from(opened).toString()) as Kept;
}
