import { MINUTE, SECOND } from "../../core/clock.ts";
import type { Executor } from "../../storage/storage.ts";
import { insertRevocation, type Revocation } from "../revocations/public.ts";
import { tokensUntil } from "./store.ts";

/** A token is minted after the commit of its state, and another node may know an application's lifetime of seconds ago. */
const MARGIN = MINUTE;

interface Named extends Pick<Revocation, "tenantId" | "kind" | "id"> {
  /** The application whose tokens these are; null: any application of the tenant. */
  applicationId: string | null;
  /** Whether the name never comes back: then a token whose time of issue is later is refused too. */
  isFinal?: boolean;
  /** In ms: the lifetime of tokens that no application's setting bounds. */
  lifetime?: number;
}

/**
 * Makes verifiers refuse every token of this name that was issued until now. The entry lives until the last of these tokens has
 * expired, whatever lifetime is configured today: a shorter lifetime does not shorten the life of a token that is out.
 */
export async function revokeTokens(tx: Executor, now: number, named: Named): Promise<void> {
  const { tenantId, applicationId, kind, id, isFinal = false, lifetime = 0 } = named;
  const until = Math.max(await tokensUntil(tx, now, tenantId, applicationId), now + lifetime);
  const expiresAt = until + MARGIN;
  const issuedBefore = isFinal ? expiresAt : now + SECOND;
  await insertRevocation(tx, now, { tenantId, kind, id, issuedBefore, expiresAt });
}
