import { DAY } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import { sha256Base64url } from "../../crypto/secrets.ts";
import type { Executor } from "../../storage/storage.ts";
import { claimRecord, findRecord } from "./store.ts";

/** A creating call that its caller may repeat. */
export interface RepeatableCall {
  tenantId: string;
  /** The caller whose keys these are: the id of the API key, which a rotation does not change. */
  callerId: string;
  procedure: string;
  /** The value of Idempotency-Key. */
  key: string;
  input: unknown;
}

/** How long a call can be repeated. */
const KEPT_FOR = DAY;

/**
 * Runs `work` once for each Idempotency-Key, in the transaction of its writes. A refused or rolled-back call leaves no record
 * and may be tried again. `replay` answers a repetition with the current state of the created row: no answer is stored, so no
 * secret and no personal data can leak from here.
 * @param call null when the caller gave no key
 * @param targetId the id of the row that `work` creates or changes
 * @throws AppError `conflict` when the key came before with another input
 */
export async function once<T>(
  tx: Executor,
  now: number,
  call: RepeatableCall | null,
  targetId: string,
  work: () => Promise<T>,
  replay: (targetId: string) => Promise<T>,
): Promise<T> {
  if (call === null) return work();
  const digest = sha256Base64url(JSON.stringify([call.callerId, call.procedure, call.key]));
  const request = sha256Base64url(canonicalJson(call.input));
  const claimed = await claimRecord(tx, {
    digest,
    tenant_id: call.tenantId,
    request_digest: request,
    target_id: targetId,
    expires_at: now + KEPT_FOR,
    now,
  });
  if (claimed) return work();
  const record = await findRecord(tx, digest);
  if (record?.request_digest !== request) {
    throw new AppError("conflict", { message: "This Idempotency-Key was used for another request. Use a new key." });
  }
  return replay(record.target_id);
}

/** Returns JSON with sorted object members, so that equal inputs match in any spelling. */
function canonicalJson(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) => {
      if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
      return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
    }) ?? ""
  );
}
