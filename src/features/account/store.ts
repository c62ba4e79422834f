import { sql } from "kysely";
import type { TrustedDevicesTable } from "../../storage/schema-people.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";

/** What an account is secured by. Times in ms. */
export interface SecurityRow {
  passwordSetAt: number | null;
  totp: { enabledAt: number; lastUsedAt: number | null } | null;
  recoveryCodesLeft: number;
  passkeys: number;
  trustedDevices: number;
  emails: number;
}

export async function securityOf(
  at: Executor,
  user: { userId: string; applicationId: string; now: number },
): Promise<SecurityRow> {
  const { kysely } = at;
  const { userId } = user;
  const count = (rows: { count: unknown } | undefined) => Number(rows?.count ?? 0);
  const password = await kysely
    .selectFrom("password_credentials")
    .select("set_at")
    .where("user_id", "=", userId)
    .executeTakeFirst();
  const totp = await kysely
    .selectFrom("totp_factors")
    .select(["enabled_at", "last_used_at"])
    .where("user_id", "=", userId)
    .executeTakeFirst();
  const codes = await kysely
    .selectFrom("recovery_codes")
    .select((eb) => eb.fn.countAll().as("count"))
    .where("user_id", "=", userId)
    .where("used_at", "is", null)
    .executeTakeFirst();
  const passkeys = await kysely
    .selectFrom("passkeys")
    .select((eb) => eb.fn.countAll().as("count"))
    .where("user_id", "=", userId)
    .executeTakeFirst();
  const devices = await kysely
    .selectFrom("trusted_devices")
    .select((eb) => eb.fn.countAll().as("count"))
    .where("user_id", "=", userId)
    .where("application_id", "=", user.applicationId)
    .where("expires_at", ">", user.now)
    .executeTakeFirst();
  const emails = await kysely
    .selectFrom("user_emails")
    .select((eb) => eb.fn.countAll().as("count"))
    .where("user_id", "=", userId)
    .executeTakeFirst();
  return {
    passwordSetAt: password?.set_at ?? null,
    totp: totp?.enabled_at == null ? null : { enabledAt: totp.enabled_at, lastUsedAt: totp.last_used_at },
    recoveryCodesLeft: count(codes),
    passkeys: count(passkeys),
    trustedDevices: count(devices),
    emails: count(emails),
  };
}

type DevicePage = { user_id: string; application_id: string; now: number; after: string; limit: number };
const devicePage = prepared((db, p: Param<DevicePage>) =>
  db
    .selectFrom("trusted_devices")
    .select(["id", "user_agent", "created_at", "last_used_at", "expires_at"])
    .where("user_id", "=", p("user_id"))
    .where("application_id", "=", p("application_id"))
    .where("expires_at", ">", p("now"))
    .where("id", ">", p("after"))
    .orderBy("id")
    .limit(p("limit")),
);

/** Devices that a user trusts in one application, in the order of their ids, after `after`. */
export const pageOfDevices = (at: Executor, page: DevicePage) => at.all(devicePage, page);

const deleteDevice = prepared(
  (db, p: Param<Pick<TrustedDevicesTable, "id" | "user_id" | "application_id"> & { now: number }>) =>
    db
      .deleteFrom("trusted_devices")
      .where("id", "=", p("id"))
      .where("user_id", "=", p("user_id"))
      .where("application_id", "=", p("application_id"))
      .where("expires_at", ">", p("now"))
      .returning("id"),
);

/** @returns false when there was none of this user and application */
export async function removeDevice(
  tx: Executor,
  device: { id: string; user_id: string; application_id: string; now: number },
): Promise<boolean> {
  return (await tx.first(deleteDevice, device)) !== undefined;
}

/** Everything that is kept about a user; `most` rows of each list, the newest, and one more where there are more. */
export async function everythingOf(at: Executor, userId: string, most: number) {
  const { kysely } = at;
  const limit = most + 1;
  const emails = await kysely
    .selectFrom("user_emails")
    .select(["id", "address", "is_primary", "verified_at", "created_at"])
    .where("user_id", "=", userId)
    .orderBy("id")
    .limit(limit)
    .execute();
  const password = await kysely
    .selectFrom("password_credentials")
    .select("set_at")
    .where("user_id", "=", userId)
    .executeTakeFirst();
  const totp = await kysely
    .selectFrom("totp_factors")
    .select(["created_at", "enabled_at", "last_used_at"])
    .where("user_id", "=", userId)
    .executeTakeFirst();
  const recoveryCodes = await kysely
    .selectFrom("recovery_codes")
    .select(["created_at", "used_at"])
    .where("user_id", "=", userId)
    .limit(limit)
    .execute();
  const passkeys = await kysely
    .selectFrom("passkeys")
    .select(["id", "name", "rp_id", "is_backed_up", "created_at", "last_used_at"])
    .where("user_id", "=", userId)
    .orderBy("id")
    .limit(limit)
    .execute();
  const trustedDevices = await kysely
    .selectFrom("trusted_devices")
    .select(["id", "application_id", "user_agent", "created_at", "last_used_at", "expires_at"])
    .where("user_id", "=", userId)
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
  const knownDevices = await kysely
    .selectFrom("known_devices")
    .select(["first_seen_at", "last_seen_at"])
    .where("user_id", "=", userId)
    .orderBy("last_seen_at", "desc")
    .limit(limit)
    .execute();
  const mails = await kysely
    .selectFrom("outbox_mails")
    .select(["template", "created_at", "sent_at"])
    .where("user_id", "=", userId)
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
  return { emails, password, totp, recoveryCodes, passkeys, trustedDevices, knownDevices, mails };
}

/** Live ones and those that ended lately, newest first. Each half has an index of its own. */
export async function sessionsOf(at: Executor, userId: string, limit: number) {
  const all = at.kysely.selectFrom("sessions").selectAll().where("user_id", "=", userId).orderBy("id", "desc");
  const live = await all.where("ended_at", "is", null).limit(limit).execute();
  const ended = await all.where("ended_at", "is not", null).limit(limit).execute();
  return [...live, ...ended].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit);
}

/**
 * What a user did, and what was done to the account, newest first. Without refreshes, which each session tells by its last
 * sight: nobody reads thousands of them, and an index over them would cost each refresh a write.
 */
export async function auditEntriesOf(at: Executor, userId: string, limit: number) {
  const all = at.kysely.selectFrom("audit_entries").selectAll().orderBy("seq", "desc").limit(limit);
  // Literals, which the partial indexes are found by.
  const done = await all
    .where("actor_id", "=", userId)
    .where("actor_kind", "=", sql.lit("user"))
    .where("action", "<>", sql.lit("session.refreshed"))
    .execute();
  const suffered = await all.where("target_id", "=", userId).where("target_kind", "=", sql.lit("user")).execute();
  const seen = new Map([...done, ...suffered].map((entry) => [entry.seq, entry]));
  return [...seen.values()].sort((a, b) => b.seq - a.seq).slice(0, limit);
}
