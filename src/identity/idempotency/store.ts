import { sql } from "kysely";
import { type Batch, deleteSome } from "../../storage/some-rows.ts";
import { type Executor, type Param, prepared } from "../../storage/storage.ts";

type Claim = {
  digest: string;
  tenant_id: string;
  request_digest: string;
  target_id: string;
  expires_at: number;
  now: number;
};

const claimRow = prepared((db, p: Param<Claim>) =>
  db
    .insertInto("idempotency_records")
    .values({
      digest: p("digest"),
      tenant_id: p("tenant_id"),
      request_digest: p("request_digest"),
      target_id: p("target_id"),
      expires_at: p("expires_at"),
    })
    .onConflict((conflict) =>
      conflict
        .column("digest")
        .doUpdateSet((eb) => ({
          request_digest: eb.ref("excluded.request_digest"),
          target_id: eb.ref("excluded.target_id"),
          expires_at: eb.ref("excluded.expires_at"),
        }))
        .where("idempotency_records.expires_at", "<=", p("now")),
    )
    .returning("digest"),
);

/** Returns undefined when the record already exists. A simultaneous second call waits here for the first one's transaction. */
export const claimRecord = (tx: Executor, params: Claim) => tx.first(claimRow, params);

const recordByDigest = prepared((db, p: Param<{ digest: string }>) =>
  db.selectFrom("idempotency_records").selectAll().where("digest", "=", p("digest")),
);
export const findRecord = (tx: Executor, digest: string) => tx.first(recordByDigest, { digest });

export function purgeIdempotency(tx: Executor, now: number, limit: number): Promise<Batch> {
  return deleteSome(tx, "idempotency_records", sql`expires_at <= ${now}`, limit);
}
