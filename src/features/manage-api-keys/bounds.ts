import { AppError } from "../../core/errors.ts";
import { parseLimit } from "../../core/limits.ts";
import { NetworkList } from "../../core/network.ts";
import type { KeyCaller } from "../../identity/api-keys/api-keys.ts";
import type { Scope } from "../../identity/api-keys/scopes.ts";
import type { ApiKeysTable } from "../../storage/schema.ts";

/** The limits of a key that are compared with another key's. */
export interface Reach {
  kind: ApiKeysTable["kind"];
  scopes: readonly Scope[];
  expiresAt: number | null;
  rateLimit: string | null;
  networks: readonly string[];
}

/** A signing key can read and change every user, whatever scopes it lists. */
const SIGNING_REACH: readonly Scope[] = ["users:read", "users:write"];

/**
 * Stops a key from making, ending or rotating a wider key: scopes, expiry, networks and rate limit of the
 * other key must lie within the caller's. @throws AppError `insufficient_scope` for scopes, `forbidden` for the rest
 */
export function requireWithin(caller: KeyCaller, reach: Reach): void {
  const scopes = reach.kind === "signing" ? SIGNING_REACH : reach.scopes;
  const missing = scopes.filter((scope) => !caller.scopes.has(scope) && !caller.scopes.has("admin"));
  if (missing.length > 0) {
    throw new AppError("insufficient_scope", {
      message: `The calling key lacks scopes that the other key would have: ${missing.join(", ")}.`,
      details: { missing },
    });
  }
  if (caller.expiresAt !== null && (reach.expiresAt === null || reach.expiresAt > caller.expiresAt)) {
    throw new AppError("forbidden", {
      message: "The key would expire later than the calling key. Choose an earlier expiry.",
    });
  }
  // Networks do not bind signing keys and public keys, so only a caller without networks may make one.
  if (caller.networks.length > 0) {
    const isWider =
      reach.networks.length === 0 || !new NetworkList(caller.networks).covers(new NetworkList(reach.networks));
    if (isWider)
      throw new AppError("forbidden", { message: "The key would work from more networks than the calling key." });
  }
  if (caller.rateLimit === null) return;
  // A rate limit does not bind them either.
  if (reach.kind !== "secret") {
    throw new AppError("forbidden", { message: "A key with a rate limit makes and changes only secret keys." });
  }
  if (isFaster(reach.rateLimit, caller.rateLimit)) {
    throw new AppError("forbidden", {
      message: "The key would have a higher rate limit than the calling key. Choose a lower one.",
    });
  }
}

function isFaster(wanted: string | null, held: string): boolean {
  const inner = wanted === null ? null : parseLimit(wanted);
  const outer = parseLimit(held);
  return inner === null || outer === null || inner.burst > outer.burst || inner.interval < outer.interval;
}
