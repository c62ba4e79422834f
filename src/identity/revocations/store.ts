import { sql } from "kysely";
import { sha256Base64url } from "../../crypto/secrets.ts";
import { lastValue, nextValue } from "../../storage/counters.ts";
import type { RevocationsTable } from "../../storage/schema.ts";
import { type Batch, deleteSome } from "../../storage/some-rows.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";

export interface Revocation {
  tenantId: string;
  kind: RevocationsTable["kind"];
  /** The id itself. Only its SHA-256 is stored and published. */
  id: string;
  /** Tokens issued before this time, in ms, are refused. */
  issuedBefore: number;
  /** When the last affected token has expired, in ms. */
  expiresAt: number;
}

/** Exported only for the signal, which recognises a revocation by this statement. */
export const insertRow = prepared((db, p: Param<{ [K in keyof RevocationsTable]: RevocationsTable[K] }>) =>
  db.insertInto("revocations").values({
    tenant_id: p("tenant_id"),
    seq: p("seq"),
    kind: p("kind"),
    digest: p("digest"),
    issued_before_at: p("issued_before_at"),
    created_at: p("created_at"),
    expires_at: p("expires_at"),
  }),
);

/**
 * The counter's row lock numbers revocations in the order of their commits, so that no reader's cursor passes one that is still
 * uncommitted.
 */
export async function insertRevocation(tx: Executor, now: number, revocation: Revocation): Promise<void> {
  tx.later(insertRow, {
    tenant_id: revocation.tenantId,
    seq: await nextValue(tx, counterOf(revocation.tenantId)),
    kind: revocation.kind,
    digest: sha256Base64url(revocation.id),
    issued_before_at: revocation.issuedBefore,
    created_at: now,
    expires_at: revocation.expiresAt,
  });
}

const after = prepared((db, p: Param<{ tenant_id: string; seq: number; now: number; limit: number }>) =>
  db
    .selectFrom("revocations")
    .select(["seq", "kind", "digest", "issued_before_at", "expires_at"])
    .where("tenant_id", "=", p("tenant_id"))
    .where("seq", ">", p("seq"))
    .where("expires_at", ">", p("now"))
    .orderBy("seq")
    .limit(p("limit")),
);

export const listRevocations = (at: Executor, tenantId: string, seq: number, now: number, limit: number) =>
  at.all(after, { tenant_id: tenantId, seq, now, limit });

/** Returns the number of the tenant's newest revocation, or 0 if there was none. It stays when the rows are deleted. */
export async function newestRevocation(at: Executor, tenantId: string): Promise<number> {
  return lastValue(at, counterOf(tenantId));
}

function counterOf(tenantId: string): string {
  return `revocations:${tenantId}`;
}

const about = prepared((db, p: Param<{ tenant_id: string; digest: string; issued_at: number; now: number }>) =>
  db
    .selectFrom("revocations")
    .select("seq")
    .where("tenant_id", "=", p("tenant_id"))
    .where("digest", "=", p("digest"))
    .where("issued_before_at", ">", p("issued_at"))
    .where("expires_at", ">", p("now"))
    .limit(1),
);

/** Returns whether the object of this id was revoked after `issuedAt` (ms). Ids are unique across all kinds. */
export async function isRevoked(at: Executor, tenantId: string, id: string, issuedAt: number, now: number) {
  const params = { tenant_id: tenantId, digest: sha256Base64url(id), issued_at: issuedAt, now };
  return (await at.first(about, params)) !== undefined;
}

const newestAbout = prepared((db, p: Param<{ tenant_id: string; digest: string; now: number }>) =>
  db
    .selectFrom("revocations")
    .select("issued_before_at")
    .where("tenant_id", "=", p("tenant_id"))
    .where("digest", "=", p("digest"))
    .where("expires_at", ">", p("now"))
    .orderBy("issued_before_at", "desc")
    .limit(1),
);

/** Returns the time (ms) before which every token that one of these ids names is refused; 0 if none is. */
export async function issuedBefore(at: Executor, tenantId: string, ids: readonly string[], now: number) {
  let newest = 0;
  for (const id of ids) {
    const row = await at.first(newestAbout, { tenant_id: tenantId, digest: sha256Base64url(id), now });
    newest = Math.max(newest, row?.issued_before_at ?? 0);
  }
  return newest;
}

export function purgeRevocations(tx: Executor, now: number, limit: number): Promise<Batch> {
  return deleteSome(tx, "revocations", sql`expires_at < ${now}`, limit);
}
