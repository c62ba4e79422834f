import type { Clock } from "../../core/clock.ts";
import { DAY, MINUTE, SECOND } from "../../core/clock.ts";
import { isUuid, newId } from "../../core/ids.ts";
import { importVerificationKey } from "../../crypto/jwk.ts";
import type { SigningKey, VerificationKey } from "../../crypto/jws.ts";
import type { MasterKeys } from "../../crypto/master-key.ts";
import { generateSigningKey, importSigningKey } from "../../crypto/signing-keys.ts";
import type { KeyAlgorithm, SigningKeysTable } from "../../storage/schema.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import { tokensUntil } from "../applications/public.ts";
import { placeOf, systemAct } from "../audit/act.ts";
import { insertRevocation } from "../revocations/public.ts";
import {
  activateSigningKey,
  findSigningKeyTenant,
  insertSigningKey,
  listSigningKeys,
  retireOtherSigningKeys,
  withdrawSigningKey,
} from "./store.ts";

export interface TenantKey {
  id: string;
  tenantId: string;
  algorithm: KeyAlgorithm;
  publicJwk: Record<string, unknown>;
  activeAt: number;
  retiredAt: number | null;
  expiresAt: number | null;
  /** It may have leaked: it left the JWKS, and its tokens are refused. */
  isWithdrawn: boolean;
  verify: VerificationKey;
  /** Opens the key at its first use. */
  sign(): SigningKey;
}

/** How often keys are read again, in the background: another process may rotate them. */
const RELOAD_AFTER = 3 * SECOND;
/** How long verifiers may cache a JWKS. A key is published at least this long before its first use. */
export const JWKS_MAX_AGE = 5 * MINUTE;
/** The longest time for which verifiers keep a JWKS, whatever its answer allows. */
const WITHDRAWN_FOR = DAY;
/** The time from publication to first use: twice the JWKS' age, so that every cache in between gets the key. */
export const PUBLISH_LEAD = 2 * JWKS_MAX_AGE;

/**
 * The signing keys of every tenant, with one current key per algorithm. A new key is published before its first use, and an old
 * key stays published until the last token that it signed has expired.
 */
export class Keyring {
  readonly #tenants = new Map<string, { loadedAt: number; keys: TenantKey[]; loading: boolean }>();
  readonly #byId = new Map<string, TenantKey>();
  #revision = 0;
  readonly #creating = new Map<string, Promise<string>>();
  readonly #reading = new Map<string, Promise<readonly TenantKey[]>>();
  readonly #listeners = new Set<() => void>();

  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    private readonly master: MasterKeys,
  ) {}

  /** Returns the current signing key. Creates the key when a tenant first uses an algorithm. */
  async signer(tenantId: string, algorithm: KeyAlgorithm): Promise<SigningKey> {
    const found = this.#current(await this.#recent(tenantId), algorithm);
    if (found) return found.sign();
    // Another process may have created it since the last read. Otherwise two first keys would be published side by side.
    const fresh = this.#current(await this.#load(tenantId), algorithm);
    if (fresh) return fresh.sign();
    await this.#createOnce(tenantId, algorithm);
    const made = this.#current(await this.keys(tenantId), algorithm);
    if (!made) throw new Error(`no ${algorithm} key for tenant ${tenantId}`);
    return made.sign();
  }

  /**
   * Returns the key that a token's `kid` names, of any tenant, or undefined if it is unknown or expired. It returns a withdrawn
   * key too, which verifies nothing.
   */
  async verifier(kid: string): Promise<TenantKey | undefined> {
    const known = this.#byId.get(kid);
    if (known) {
      const keys = await this.#recent(known.tenantId);
      return keys.find((key) => key.id === kid && !this.#expired(key));
    }
    if (!isUuid(kid)) return undefined;
    const owner = await findSigningKeyTenant(this.storage.read, kid);
    if (!owner) return undefined;
    await this.#load(owner.tenant_id);
    const key = this.#byId.get(kid);
    return key && !this.#expired(key) ? key : undefined;
  }

  /** Returns whether this key verifies, by keys that were read a moment ago. If not, {@link verifier} knows more. */
  vouchesFor(kid: string): boolean {
    const key = this.#byId.get(kid);
    return key !== undefined && !key.isWithdrawn && !this.#expired(key) && !this.#isStale(key.tenantId);
  }

  /**
   * Returns the public JWKs of a tenant's keys: current, future and retiring. `algorithm` selects the keys of one algorithm.
   */
  published(keys: readonly TenantKey[], algorithm?: KeyAlgorithm): Record<string, unknown>[] {
    return keys
      .filter(
        (key) => !this.#expired(key) && !key.isWithdrawn && (algorithm === undefined || key.algorithm === algorithm),
      )
      .map((key) => key.publicJwk);
  }

  async keys(tenantId: string): Promise<readonly TenantKey[]> {
    const entry = this.#tenants.get(tenantId);
    if (!entry) return this.#load(tenantId);
    if (this.#isStale(tenantId) && !entry.loading) {
      entry.loading = true;
      // A stale answer for one request is better than a slow one: a new key is published long before it signs.
      this.#load(tenantId).catch(() => {
        entry.loading = false;
      });
    }
    return entry.keys;
  }

  /**
   * Publishes a successor now. It signs after `lead` ms (default {@link PUBLISH_LEAD}). Use 0 only in an emergency: a verifier
   * that does not fetch again on an unknown `kid` refuses new tokens until its copy of the JWKS is old.
   * @returns the new key's id
   */
  async rotate(tenantId: string, algorithm: KeyAlgorithm, lead: number = PUBLISH_LEAD): Promise<string> {
    return this.#insert(tenantId, algorithm, this.clock.now() + lead);
  }

  /**
   * Withdraws a key that may have leaked: it leaves the JWKS, its tokens are refused, and verifiers are told. A published
   * successor signs from now on, or a new key.
   * @returns the key that signs now, or null unless `kid` is a published key
   */
  async withdraw(kid: string): Promise<string | null> {
    const owner = isUuid(kid) ? await findSigningKeyTenant(this.storage.read, kid) : undefined;
    if (!owner) return null;
    const { tenant_id: tenantId } = owner;
    const algorithm = (await this.#load(tenantId)).find((key) => key.id === kid)?.algorithm;
    if (algorithm === undefined) return null;
    const now = this.clock.now();
    // Made before the transaction: an RSA key takes too long for it.
    const made = await this.#make(tenantId, algorithm, now);
    const signing = await this.storage.write(async (tx) => {
      const until = Math.max(await tokensUntil(tx, now, tenantId, null), now + WITHDRAWN_FOR) + MINUTE;
      if (!(await withdrawSigningKey(tx, kid, now, until))) return null;
      await insertRevocation(tx, now, { tenantId, kind: "key", id: kid, issuedBefore: until, expiresAt: until });
      const act = systemAct(placeOf(tenantId));
      await act.audit(tx, now, "signing_key.withdrawn", { kind: "signing_key", id: kid }, { algorithm });
      const rows = await listSigningKeys(tx, tenantId, now);
      const successor = rows.findLast((row) => row.algorithm === algorithm && row.retired_at === null);
      if (successor) await activateSigningKey(tx, successor.id, now);
      else await this.#publish(tx, now, made);
      return successor?.id ?? made.id;
    });
    await this.#load(tenantId);
    return signing;
  }

  /** Changes each time that keys are read. Anything derived from an earlier number may be out of date. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * Calls `listener` when a tenant's keys have changed at a read, before any of them signs.
   * @returns a function that removes the listener
   */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  forget(): void {
    this.#revision++;
    this.#tenants.clear();
    this.#byId.clear();
    for (const listener of this.#listeners) listener();
  }

  async #insert(tenantId: string, algorithm: KeyAlgorithm, activeAt: number): Promise<string> {
    const row = await this.#make(tenantId, algorithm, activeAt);
    await this.storage.write((tx) => this.#publish(tx, row.created_at, row));
    await this.#load(tenantId);
    return row.id;
  }

  async #make(tenantId: string, algorithm: KeyAlgorithm, activeAt: number): Promise<SigningKeysTable> {
    const now = this.clock.now();
    const id = newId(now);
    const { publicJwk, privatePkcs8 } = await generateSigningKey(algorithm);
    return {
      id,
      tenant_id: tenantId,
      algorithm,
      public_jwk: JSON.stringify({ ...publicJwk, kid: id, use: "sig", alg: algorithm }),
      sealed_private: this.master.seal(privatePkcs8, { keyId: id, purpose: "signing-key" }),
      created_at: now,
      active_at: activeAt,
      retired_at: null,
      expires_at: null,
      withdrawn_at: null,
    };
  }

  async #publish(tx: Executor, now: number, row: SigningKeysTable): Promise<void> {
    const { id, tenant_id: tenantId, algorithm, active_at: activeAt } = row;
    const until = await tokensUntil(tx, activeAt, tenantId, null);
    await insertSigningKey(tx, row);
    await retireOtherSigningKeys(tx, {
      tenantId,
      algorithm,
      keep: id,
      retiredAt: activeAt,
      expiresAt: until + MINUTE,
    });
    const details = { algorithm, active_at: activeAt };
    await systemAct(placeOf(tenantId)).audit(tx, now, "signing_key.created", { kind: "signing_key", id }, details);
  }

  /** Returns keys that were read a moment ago. Another process may have withdrawn a key since an earlier read. */
  async #recent(tenantId: string): Promise<readonly TenantKey[]> {
    const entry = this.#tenants.get(tenantId);
    if (entry && !this.#isStale(tenantId)) return entry.keys;
    const reading = this.#reading.get(tenantId) ?? this.#load(tenantId).finally(() => this.#reading.delete(tenantId));
    this.#reading.set(tenantId, reading);
    return reading;
  }

  /** Creates the first key of an algorithm, once for all waiting callers. It is harmless if another node does the same. */
  async #createOnce(tenantId: string, algorithm: KeyAlgorithm): Promise<void> {
    const name = `${tenantId}:${algorithm}`;
    const creating =
      this.#creating.get(name) ??
      this.#insert(tenantId, algorithm, this.clock.now()).finally(() => this.#creating.delete(name));
    this.#creating.set(name, creating);
    await creating;
  }

  #current(keys: readonly TenantKey[], algorithm: KeyAlgorithm): TenantKey | undefined {
    const now = this.clock.now();
    return keys.findLast(
      (key) => key.algorithm === algorithm && key.activeAt <= now && (key.retiredAt === null || key.retiredAt > now),
    );
  }

  #isStale(tenantId: string): boolean {
    const loadedAt = this.#tenants.get(tenantId)?.loadedAt ?? Number.NEGATIVE_INFINITY;
    return Math.abs(this.clock.now() - loadedAt) > RELOAD_AFTER;
  }

  #expired(key: TenantKey): boolean {
    return key.expiresAt !== null && key.expiresAt <= this.clock.now();
  }

  async #load(tenantId: string): Promise<readonly TenantKey[]> {
    const now = this.clock.now();
    const rows = await listSigningKeys(this.storage.read, tenantId, now);
    const known = this.#tenants.get(tenantId)?.keys;
    const previous = new Map((known ?? []).map((key) => [key.id, key]));
    const keys = rows.map((row) => this.#toKey(row, previous.get(row.id)));
    for (const id of previous.keys()) this.#byId.delete(id);
    for (const key of keys) this.#byId.set(key.id, key);
    this.#tenants.set(tenantId, { loadedAt: now, keys, loading: false });
    this.#revision++;
    if (known && !sameKeys(known, keys)) for (const listener of this.#listeners) listener();
    return keys;
  }

  #toKey(row: SigningKeysTable, previous: TenantKey | undefined): TenantKey {
    const publicJwk = JSON.parse(row.public_jwk) as Record<string, unknown>;
    let opened: SigningKey | undefined;
    return {
      id: row.id,
      tenantId: row.tenant_id,
      algorithm: row.algorithm,
      publicJwk,
      activeAt: row.active_at,
      retiredAt: row.retired_at,
      expiresAt: row.expires_at,
      isWithdrawn: row.withdrawn_at !== null,
      verify: previous?.verify ?? importVerificationKey(row.algorithm, publicJwk, row.id),
      sign:
        previous?.sign ??
        (() => {
          opened ??= importSigningKey(
            row.algorithm,
            this.master.open(row.sealed_private, { keyId: row.id, purpose: "signing-key" }),
            row.id,
          );
          return opened;
        }),
    };
  }
}

function sameKeys(before: readonly TenantKey[], after: readonly TenantKey[]): boolean {
  return (
    before.length === after.length &&
    before.every((key, index) => key.id === after[index]?.id && key.expiresAt === after[index]?.expiresAt)
  );
}

/** A job rotates keys that are older than this. */
export const ROTATE_AFTER = 90 * DAY;
