import { toSeconds } from "../core/clock.ts";
import { AppError, invalidField } from "../core/errors.ts";
import type { Identity } from "../identity/identity.ts";
import { listRevocations } from "../identity/revocations/store.ts";
import { DEFAULT_TENANT_SLUG } from "../identity/tenants/directory.ts";
import type { Handler } from "./edge.ts";
import { publicDocument, publicJson } from "./jwks.ts";

/** Entries a page; who gets a full one asks again at once. */
const PAGE = 1_000;
/** Seconds that a cache may answer for us: part of how late a verifier may hear. */
const MAX_AGE = 2;

/**
 * `GET /v1/revocations?cursor=`: what verifiers must refuse before its time, as a delta after the cursor. It holds digests
 * only, so it is public and cacheable. `next_cursor` is always given: it is where the next poll starts.
 */
export function revocationsHandler(identity: Identity): Handler {
  return async (exchange) => {
    const tenant = await identity.directory.tenantBySlug(exchange.tenantSlug ?? DEFAULT_TENANT_SLUG);
    if (!tenant || tenant.disabled) throw new AppError("not_found");
    const cursor = new URL(exchange.request.url).searchParams.get("cursor");
    if (cursor !== null && !/^\d{1,15}$/.test(cursor)) {
      throw invalidField("cursor", "must be the next_cursor of an answer before");
    }
    const after = Number(cursor ?? 0);
    const now = identity.clock.now();
    const rows = await listRevocations(identity.storage.read, tenant.id, after, now, PAGE);
    const body = {
      data: rows.map((row) => ({
        kind: row.kind,
        digest: row.digest,
        issued_before: Math.ceil(row.issued_before_at / 1_000),
        expires_at: toSeconds(row.expires_at),
      })),
      next_cursor: String(rows.at(-1)?.seq ?? after),
    };
    return publicJson(exchange, publicDocument(body, MAX_AGE));
  };
}
