import { toSeconds } from "../core/clock.ts";
import { AppError, invalidField } from "../core/errors.ts";
import type { Identity } from "../identity/identity.ts";
import { listRevocations, newestRevocation } from "../identity/revocations/public.ts";
import { DEFAULT_TENANT_SLUG, type Tenant } from "../identity/tenants/tenant.ts";
import type { Exchange, Handler } from "./edge.ts";
import { publicDocument, publicJson } from "./public-document.ts";
import { queryOf } from "./request-target.ts";

/** Entries per page. A verifier that gets a full page asks again at once. */
const PAGE = 1_000;
/** Seconds for which a cache may answer; they add to the delay until a verifier learns of a revocation. */
const MAX_AGE = 2;

/**
 * Serves `GET /v1/revocations?cursor=`: the tokens that verifiers must refuse before they expire, as a delta after the
 * cursor. It holds only digests, so it is public and cacheable. Every answer has a `next_cursor`, where the next poll
 * starts.
 */
export function revocationsHandler(identity: Pick<Identity, "clock" | "directory" | "storage">): Handler {
  return async (exchange) => {
    const tenant = await tenantOf(identity, exchange);
    const after = readCursor(queryOf(exchange.request.url).get("cursor"));
    const rows = await listRevocations(identity.storage.read, tenant.id, after, identity.clock.now(), PAGE);
    if (rows.length === 0) await refuseUnknown(identity, tenant.id, after);
    const body = { data: rows.map(wireEntry), next_cursor: String(rows.at(-1)?.seq ?? after) };
    return publicJson(exchange, publicDocument(body, MAX_AGE));
  };
}

/**
 * Returns the enabled tenant of the request.
 * @throws AppError `not_found`
 */
export async function tenantOf(identity: Pick<Identity, "directory">, exchange: Exchange): Promise<Tenant> {
  const tenant = await identity.directory.tenantBySlug(exchange.tenantSlug ?? DEFAULT_TENANT_SLUG);
  if (!tenant || tenant.disabled) throw new AppError("not_found");
  return tenant;
}

/**
 * Parses a cursor.
 * @throws AppError `invalid_input`
 */
export function readCursor(text: string | null): number {
  if (text !== null && !/^\d{1,15}$/.test(text)) throw badCursor();
  return Number(text ?? 0);
}

/**
 * Refuses a cursor beyond the last number. The server gave it out before a backup was restored: answering "nothing new"
 * would hide every revocation until the numbers have caught up.
 * @throws AppError `invalid_input`
 */
export async function refuseUnknown(
  identity: Pick<Identity, "storage">,
  tenantId: string,
  cursor: number,
): Promise<void> {
  if (cursor > (await newestRevocation(identity.storage.read, tenantId))) throw badCursor();
}

type Row = Awaited<ReturnType<typeof listRevocations>>[number];

/** Returns the entry for verifiers: times in seconds, with "issued before" rounded up because `iat` is rounded down. */
export function wireEntry(row: Row) {
  return {
    kind: row.kind,
    digest: row.digest,
    issued_before: Math.ceil(row.issued_before_at / 1_000),
    expires_at: toSeconds(row.expires_at),
  };
}

function badCursor(): AppError {
  return invalidField("cursor", "must be the next_cursor of an earlier answer");
}
