import { sql } from "kysely";
import { type Batch, batchOf, deleteSome, someRows } from "../../storage/some-rows.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";

const enabled = prepared((db, p: Param<{ user_id: string }>) =>
  db
    .selectFrom("totp_factors")
    .select(["sealed_secret", "last_step"])
    .where("user_id", "=", p("user_id"))
    .where("enabled_at", "is not", null),
);
export const findTotp = (at: Executor, userId: string) => at.first(enabled, { user_id: userId });

type Spend = { user_id: string; sealed_secret: Uint8Array; step: number; now: number };
const spend = prepared((db, p: Param<Spend>) =>
  db
    .updateTable("totp_factors")
    .set({ last_step: p("step"), last_used_at: p("now") })
    .where("user_id", "=", p("user_id"))
    .where("sealed_secret", "=", p("sealed_secret"))
    .where("last_step", "<", p("step"))
    .returning("user_id"),
);
/**
 * Spends a time step and all steps before it. Returns undefined unless this call is the first and the secret is still the same.
 */
export const spendStep = (tx: Executor, params: Spend) => tx.first(spend, params);

interface Pending {
  userId: string;
  tenantId: string;
  secret: Uint8Array;
  /** Only this flow or session may finish the set-up. */
  owner: string;
  now: number;
}

/** Begins a set-up and replaces one that was begun before. A factor in use stays in use. */
export async function putPending(tx: Executor, pending: Pending): Promise<void> {
  const { userId, tenantId, now } = pending;
  const columns = { pending_secret: pending.secret, pending_at: now, pending_for: pending.owner };
  await tx.kysely
    .insertInto("totp_factors")
    .values({
      user_id: userId,
      tenant_id: tenantId,
      sealed_secret: null,
      ...columns,
      last_step: 0,
      created_at: now,
      enabled_at: null,
      last_used_at: null,
    })
    .onConflict((conflict) => conflict.column("user_id").doUpdateSet(columns))
    .execute();
}

/** Returns the secret of a set-up that `owner` began after `since`. */
export async function findPending(
  at: Executor,
  pending: { userId: string; owner: string; since: number },
): Promise<Uint8Array | null> {
  const row = await at.kysely
    .selectFrom("totp_factors")
    .select("pending_secret")
    .where("user_id", "=", pending.userId)
    .where("pending_for", "=", pending.owner)
    .where("pending_at", ">", pending.since)
    .executeTakeFirst();
  return row?.pending_secret ?? null;
}

/** Puts a pending secret to use. Returns false unless this call is the first and the set-up is still the latest. */
export async function enablePending(
  tx: Executor,
  change: { userId: string; secret: Uint8Array; step: number; now: number },
): Promise<boolean> {
  const { userId, secret, step, now } = change;
  const row = await tx.kysely
    .updateTable("totp_factors")
    .set({
      sealed_secret: secret,
      pending_secret: null,
      pending_at: null,
      pending_for: null,
      last_step: step,
      enabled_at: now,
      last_used_at: now,
    })
    .where("user_id", "=", userId)
    .where("pending_secret", "=", secret)
    .returning("user_id")
    .executeTakeFirst();
  return row !== undefined;
}

/** @returns false if there was no enabled app */
export async function deleteTotp(tx: Executor, userId: string): Promise<boolean> {
  const row = await tx.kysely
    .deleteFrom("totp_factors")
    .where("user_id", "=", userId)
    .returning("enabled_at")
    .executeTakeFirst();
  return row !== undefined && row.enabled_at !== null;
}

/** Deletes first set-ups that were begun before `before` and not finished. */
export function purgePending(tx: Executor, before: number, limit: number): Promise<Batch> {
  return deleteSome(tx, "totp_factors", sql`enabled_at IS NULL AND pending_at < ${before}`, limit);
}

/** Clears later set-ups, which would replace a factor, that were begun before `before` and not finished. */
export async function purgeReplacements(tx: Executor, before: number, limit: number): Promise<Batch> {
  const { numUpdatedRows } = await tx.kysely
    .updateTable("totp_factors")
    .set({ pending_secret: null, pending_at: null, pending_for: null })
    .where(someRows(tx, "totp_factors", sql`enabled_at IS NOT NULL AND pending_at < ${before}`, limit))
    .executeTakeFirstOrThrow();
  return batchOf(numUpdatedRows, limit);
}

const unused = prepared((db, p: Param<{ user_id: string }>) =>
  db
    .selectFrom("recovery_codes")
    .select(["digest", "pepper_version"])
    .where("user_id", "=", p("user_id"))
    .where("used_at", "is", null),
);
export const unusedCodes = (at: Executor, userId: string) => at.all(unused, { user_id: userId });

const anyUnused = prepared((db, p: Param<{ user_id: string }>) =>
  db
    .selectFrom("recovery_codes")
    .select("user_id")
    .where("user_id", "=", p("user_id"))
    .where("used_at", "is", null)
    .limit(1),
);
export const hasUnusedCode = async (at: Executor, userId: string) =>
  (await at.first(anyUnused, { user_id: userId })) !== undefined;

const use = prepared((db, p: Param<{ user_id: string; digest: string; now: number }>) =>
  db
    .updateTable("recovery_codes")
    .set({ used_at: p("now") })
    .where("user_id", "=", p("user_id"))
    .where("digest", "=", p("digest"))
    .where("used_at", "is", null)
    .returning("digest"),
);
/** Returns undefined unless this call is the first to use the code. */
export const useCode = (tx: Executor, params: { user_id: string; digest: string; now: number }) =>
  tx.first(use, params);

/** Replaces all codes. The caller has locked the user's row, so that of two sets at once only one is valid. */
export async function replaceCodes(
  tx: Executor,
  codes: { userId: string; tenantId: string; digests: readonly string[]; pepperVersion: number; now: number },
): Promise<void> {
  await deleteCodes(tx, codes.userId);
  const rows = codes.digests.map((digest) => ({
    user_id: codes.userId,
    digest,
    pepper_version: codes.pepperVersion,
    tenant_id: codes.tenantId,
    created_at: codes.now,
    used_at: null,
  }));
  await tx.kysely.insertInto("recovery_codes").values(rows).execute();
}

export async function deleteCodes(tx: Executor, userId: string): Promise<void> {
  await tx.kysely.deleteFrom("recovery_codes").where("user_id", "=", userId).execute();
}

/** Returns the times of a user's authenticator app, also of an unfinished set-up. */
export async function totpOf(at: Executor, userId: string) {
  return at.kysely
    .selectFrom("totp_factors")
    .select(["created_at", "enabled_at", "last_used_at"])
    .where("user_id", "=", userId)
    .executeTakeFirst();
}

/** Returns the times of a user's recovery codes, also of used ones. They are one set, so there are only a few. */
export async function codesOf(at: Executor, userId: string) {
  return at.kysely
    .selectFrom("recovery_codes")
    .select(["created_at", "used_at"])
    .where("user_id", "=", userId)
    .execute();
}

/** @param since in ms; 0 deletes every factor, also an unfinished set-up @returns the kinds of the deleted factors */
export async function deleteFactorsSince(
  tx: Executor,
  userId: string,
  since: number,
): Promise<("totp" | "recovery_codes")[]> {
  const apps = await tx.kysely
    .deleteFrom("totp_factors")
    .where("user_id", "=", userId)
    // An app that replaced another keeps the row of the other.
    .where((eb) => eb.or([eb("created_at", ">=", since), eb("enabled_at", ">=", since)]))
    .returning("enabled_at")
    .execute();
  const codes = await tx.kysely
    .deleteFrom("recovery_codes")
    .where("user_id", "=", userId)
    .where("created_at", ">=", since)
    .executeTakeFirstOrThrow();
  const hadApp = apps.some(({ enabled_at }) => enabled_at !== null);
  return [...(hadApp ? (["totp"] as const) : []), ...(codes.numDeletedRows > 0n ? (["recovery_codes"] as const) : [])];
}
