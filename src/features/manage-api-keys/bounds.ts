import { AppError } from "../../core/errors.ts";
import { parseLimit } from "../../core/limits.ts";
import { NetworkList } from "../../core/network.ts";
import type { KeyCaller } from "../../identity/api-keys/api-keys.ts";
import type { Scope } from "../../identity/api-keys/scopes.ts";
import type { ApiKeysTable } from "../../storage/schema.ts";

/** What a key may do, as far as another key's may be held against it. */
export interface Reach {
  kind: ApiKeysTable["kind"];
  scopes: readonly Scope[];
  expiresAt: number | null;
  rateLimit: string | null;
  networks: readonly string[];
}

/** Who signs users' tokens reads and changes any user, whatever scopes are written on the key. */
const SIGNING_REACH: readonly Scope[] = ["users:read", "users:write"];

/**
 * Keys do not make wider keys, nor take one over by rotating it: scopes, life and networks of the one are within the other's.
 * @throws AppError `insufficient_scope` for scopes, `forbidden` for the rest
 */
export function requireWithin(caller: KeyCaller, reach: Reach): void {
  const scopes = reach.kind === "signing" ? SIGNING_REACH : reach.scopes;
  const missing = scopes.filter((scope) => !caller.scopes.has(scope) && !caller.scopes.has("admin"));
  if (missing.length > 0) {
    throw new AppError("insufficient_scope", {
      message: `The calling key lacks what that key would have: ${missing.join(", ")}.`,
      details: { missing },
    });
  }
  if (caller.expiresAt !== null && (reach.expiresAt === null || reach.expiresAt > caller.expiresAt)) {
    throw new AppError("forbidden", { message: "That key would outlive the calling one." });
  }
  // What signs users' tokens, and what apps carry, is not bound to networks: only a key that is free itself may make it.
  if (caller.networks.length > 0) {
    const isWider =
      reach.networks.length === 0 || !new NetworkList(caller.networks).covers(new NetworkList(reach.networks));
    if (isWider) throw new AppError("forbidden", { message: "That key would be good from more networks." });
  }
  if (caller.rateLimit !== null && reach.kind === "secret" && isFaster(reach.rateLimit, caller.rateLimit)) {
    throw new AppError("forbidden", { message: "That key would have a higher rate limit." });
  }
}

function isFaster(wanted: string | null, held: string): boolean {
  const inner = wanted === null ? null : parseLimit(wanted);
  const outer = parseLimit(held);
  return inner === null || outer === null || inner.burst > outer.burst || inner.interval < outer.interval;
}
