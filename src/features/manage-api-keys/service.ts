import { SECOND } from "../../core/clock.ts";
import { AppError, invalidField } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { type KeyCaller, SIGNED_TOKEN_LIFETIME } from "../../identity/api-keys/api-keys.ts";
import { findApiKey, pageOfApiKeys, revokeApiKey, rotateApiKey } from "../../identity/api-keys/public.ts";
import type { Scope } from "../../identity/api-keys/scopes.ts";
import { revokeTokens } from "../../identity/applications/revoke-tokens.ts";
import { once, type RepeatableCall } from "../../identity/idempotency/idempotency.ts";
import type { Identity } from "../../identity/identity.ts";
import type { AdmittedKey } from "../../rpc/gate.ts";
import { cutPage } from "../../rpc/schemas.ts";
import type { ApiKeysTable } from "../../storage/schema.ts";
import type { Executor } from "../../storage/storage.ts";
import { type Reach, requireWithin } from "./bounds.ts";
import { toWireApiKey, type WireApiKey, type WireNewApiKey } from "./wire.ts";

interface Creation extends Reach {
  name: string;
}

/** Manages the keys of the caller's own application only. */
export class ApiKeyService {
  constructor(private readonly identity: Pick<Identity, "apiKeys" | "clock" | "storage">) {}

  /**
   * Takes from the calling key every limit that the input leaves out.
   * @throws AppError `invalid_input`, `insufficient_scope`, `forbidden` (wider than the caller), `conflict`
   */
  create(caller: AdmittedKey, input: Creation, call: RepeatableCall | null): Promise<WireNewApiKey> {
    const { act, key } = caller;
    const { storage, clock, apiKeys } = this.identity;
    if (input.expiresAt !== null && input.expiresAt <= clock.now()) {
      throw invalidField("expires_at", "must be in the future");
    }
    const wanted = { ...input, ...inherited(key, input) };
    requireWithin(key, wanted);
    const now = clock.now();
    const id = newId(now);
    return storage.write((tx) =>
      once(
        tx,
        now,
        call,
        id,
        async () => {
          const made = await apiKeys.create(tx, act, id, wanted);
          return { ...toWireApiKey(made.row), secret: made.secret };
        },
        async (made) => ({ ...toWireApiKey(await this.#own(tx, caller, made)), secret: null }),
      ),
    );
  }

  async list(caller: AdmittedKey, limit: number, cursor: string | null) {
    const after = cursor ?? "";
    const page = { applicationId: caller.act.application.id, after, limit: limit + 1 };
    return cutPage(await pageOfApiKeys(this.identity.storage.read, page), limit, (row) => row.id, toWireApiKey);
  }

  /** @throws AppError `not_found` unless this is a key of the caller's application */
  async get(caller: AdmittedKey, id: string): Promise<WireApiKey> {
    return toWireApiKey(await this.#own(this.identity.storage.read, caller, id));
  }

  /**
   * Ends a key and every key that descends from it, at once. A second revocation is not an error.
   * @throws AppError `not_found`, `insufficient_scope` and `forbidden` (a wider key, or one that the caller descends from)
   */
  revoke(caller: AdmittedKey, id: string): Promise<WireApiKey> {
    const { storage, clock } = this.identity;
    return storage.write(async (tx) => {
      const key = await this.#own(tx, caller, id);
      await this.#requireMayChange(tx, caller, key);
      const now = clock.now();
      const [revoked, ...others] = await revokeApiKey(tx, id, now);
      if (!revoked) return toWireApiKey(await this.#own(tx, caller, id));
      for (const row of [revoked, ...others]) {
        // Tokens that the key signed are still valid for a while: verifiers must refuse them from now on.
        const { tenant_id: tenantId, application_id: applicationId } = row;
        const lifetime = SIGNED_TOKEN_LIFETIME;
        await revokeTokens(tx, now, { tenantId, applicationId, kind: "key", id: row.id, lifetime });
        const details = row === revoked ? described(row) : { ...described(row), with: id };
        await caller.act.audit(tx, now, "api_key.revoked", { kind: "api_key", id: row.id }, details);
      }
      return toWireApiKey(revoked);
    });
  }

  /**
   * Gives a key a new secret under the same id. The previous secret works for `overlap` more seconds; the secret of an earlier
   * rotation ends now. @throws AppError `not_found`, `insufficient_scope` and `forbidden` (a wider key), `conflict` (ended, or
   * rotated by another request)
   */
  rotate(caller: AdmittedKey, id: string, overlap: number, call: RepeatableCall | null): Promise<WireNewApiKey> {
    const { storage, clock, apiKeys } = this.identity;
    const now = clock.now();
    return storage.write(async (tx) => {
      const row = await this.#own(tx, caller, id);
      // The caller gets the new secret, so rotating a wider key would take it over.
      await this.#requireMayChange(tx, caller, row);
      return once(
        tx,
        now,
        call,
        id,
        async () => {
          if (row.revoked_at !== null || (row.expires_at !== null && row.expires_at <= now)) {
            throw new AppError("conflict", { message: "This key has ended. Create a new one." });
          }
          const { shown, ...columns } = apiKeys.freshSecret(row.kind, id);
          const keeps = overlap > 0;
          const rotated = await rotateApiKey(tx, id, row.generation, {
            ...columns,
            previous_digest: keeps ? row.secret_digest : null,
            previous_sealed: keeps ? row.sealed_secret : null,
            previous_expires_at: keeps ? now + overlap * SECOND : null,
            rotated_at: now,
          });
          if (!rotated) throw new AppError("conflict", { message: "Another request rotated or revoked this key." });
          const details = { ...described(rotated), overlap_seconds: overlap };
          await caller.act.audit(tx, now, "api_key.rotated", { kind: "api_key", id }, details);
          return { ...toWireApiKey(rotated), secret: shown };
        },
        async () => ({ ...toWireApiKey(row), secret: null }),
      );
    });
  }

  /**
   * Lets a key change only keys within its own reach, and none that it descends from. A child as wide as its parent would
   * otherwise end the parent, or take it over by rotation and outlive its own revocation.
   */
  async #requireMayChange(at: Executor, { key }: AdmittedKey, row: ApiKeysTable): Promise<void> {
    requireWithin(key, reachOf(row));
    if (key.kind !== "key" || key.id === row.id) return;
    let above = (await findApiKey(at, key.id))?.parent_id ?? null;
    while (above !== null) {
      if (above === row.id) {
        throw new AppError("forbidden", { message: "This key descends from that one and may not change it." });
      }
      above = (await findApiKey(at, above))?.parent_id ?? null;
    }
  }

  async #own(at: Executor, caller: AdmittedKey, id: string): Promise<ApiKeysTable> {
    const row = await findApiKey(at, id);
    if (!row || row.application_id !== caller.act.application.id) throw new AppError("not_found");
    return row;
  }
}

/** Names a key for audit entries: a name may be used again, and an id alone means nothing to people. */
function described({ kind, name }: ApiKeysTable) {
  return { kind, name };
}

function inherited(key: KeyCaller, input: Creation): Pick<Reach, "expiresAt" | "rateLimit" | "networks"> {
  const bound = input.kind === "secret";
  return {
    expiresAt: input.expiresAt ?? key.expiresAt,
    rateLimit: bound ? (input.rateLimit ?? key.rateLimit) : null,
    networks: bound && input.networks.length === 0 ? key.networks : input.networks,
  };
}

function reachOf(row: ApiKeysTable): Reach {
  return {
    kind: row.kind,
    scopes: JSON.parse(row.scopes) as Scope[],
    expiresAt: row.expires_at,
    rateLimit: row.rate_limit,
    networks: JSON.parse(row.networks) as string[],
  };
}
