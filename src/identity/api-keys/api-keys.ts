import { randomBytes } from "node:crypto";
import type { RequestOrigin } from "../../core/caller.ts";
import type { Clock } from "../../core/clock.ts";
import { HOUR, MINUTE } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { type Limit, parseLimit } from "../../core/limits.ts";
import { NetworkList } from "../../core/network.ts";
import { RecentMap } from "../../core/recent-map.ts";
import type { MasterKeys } from "../../crypto/master-key.ts";
import { digestEquals, newSecret, type ParsedSecret, parseSecret, sha256Base64url } from "../../crypto/secrets.ts";
import { admit, release } from "../../storage/rate-limits.ts";
import type { ApiKeysTable } from "../../storage/schema.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import type { Application } from "../applications/application.ts";
import type { Directory } from "../applications/directory.ts";
import { ActIn, ANONYMOUS, type Place, placeOf, systemAct } from "../audit/act.ts";
import type { Scope } from "./scopes.ts";
import { findApiKey, insertApiKey, lockLiveKey, touchApiKey } from "./store.ts";

/** The maximum number of remembered secrets. */
const REMEMBERED = 10_000;
/** The maximum number of remembered scope lists. */
const REMEMBERED_SCOPES = 256;
const ANYWHERE: readonly string[] = [];

/** A verified secret key, or a verified access token of an M2M client. */
export interface KeyCaller {
  kind: "key" | "client";
  /** The id of the key or of the client. */
  id: string;
  application: Application;
  scopes: ReadonlySet<string>;
  expiresAt: number | null;
  rateLimit: string | null;
  /** Addresses and CIDR blocks. An empty list allows every address. */
  networks: readonly string[];
}

export interface NewApiKey {
  kind: ApiKeysTable["kind"];
  name: string;
  scopes: readonly Scope[];
  expiresAt: number | null;
  rateLimit: string | null;
  networks: readonly string[];
}

/** The application that a key belongs to. */
interface KeyPlace extends Place {
  id: string;
  tenant: { id: string };
}

/** The columns that hold a key's secret, and the text that is shown once. */
interface FreshSecret {
  secret_digest: Uint8Array | null;
  sealed_secret: Uint8Array | null;
  shown: string | null;
}

/**
 * Keys of a customer's backend. A secret key has 256 random bits, and only their SHA-256 is stored. A signing or public key
 * computes HMACs, which needs the secret itself, so the master key seals it to its own row.
 */
export class ApiKeys {
  readonly #touched = new Map<string, number>();
  /**
   * Parsed secrets by their SHA-256: the row to read and the value to compare, but never whether the secret is still valid.
   * Parsing the id takes longer than hashing the secret.
   */
  readonly #parsed = new RecentMap<ParsedSecret>(REMEMBERED);

  /** Scope sets by the column's text. Keys share few combinations. */
  readonly #scopes = new RecentMap<ReadonlySet<string>>(REMEMBERED_SCOPES);

  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    private readonly directory: Directory,
    private readonly masterKeys: MasterKeys,
  ) {}

  /** Makes a secret key for set-up and commands, which need no key themselves. @returns the secret, which is stored nowhere */
  async createSecret(
    tx: Executor,
    input: { tenantId: string; applicationId: string; name: string; scopes: readonly Scope[] },
  ): Promise<{ id: string; secret: string }> {
    const id = newId(this.clock.now());
    const { tenantId, applicationId, name, scopes } = input;
    const act = systemAct({ id: applicationId, tenant: { id: tenantId } });
    const unbound = { kind: "secret", expiresAt: null, rateLimit: null, networks: [] } as const;
    const { secret } = await this.create(tx, act, id, { ...unbound, name, scopes });
    if (secret === null) throw new Error("a secret key without a secret");
    return { id, secret };
  }

  /**
   * Makes a key. @returns the row and the secret to show once; the secret is null for a public key, because nobody ever sees it
   * @throws AppError `invalid_credentials` if the key that makes it has ended meanwhile
   */
  async create(
    tx: Executor,
    act: ActIn<KeyPlace>,
    id: string,
    input: NewApiKey,
  ): Promise<{ row: ApiKeysTable; secret: string | null }> {
    const now = this.clock.now();
    const parentId = act.actor.kind === "key" ? act.actor.id : null;
    if (parentId !== null && !(await lockLiveKey(tx, parentId, now))) throw refused();
    const { shown, ...columns } = this.freshSecret(input.kind, id);
    const row: ApiKeysTable = {
      id,
      tenant_id: act.application.tenant.id,
      application_id: act.application.id,
      kind: input.kind,
      name: input.name,
      ...columns,
      scopes: JSON.stringify(input.scopes),
      created_by: act.actor.id,
      created_at: now,
      last_used_at: null,
      expires_at: input.expiresAt,
      revoked_at: null,
      generation: 1,
      previous_digest: null,
      previous_sealed: null,
      previous_expires_at: null,
      rotated_at: null,
      rate_limit: input.rateLimit,
      networks: JSON.stringify(input.networks),
      parent_id: parentId,
    };
    await insertApiKey(tx, row);
    const { kind, name, scopes } = input;
    await act.audit(tx, now, "api_key.created", { kind: "api_key", id }, { kind, name, scopes });
    return { row, secret: shown };
  }

  /**
   * Makes a new secret for the key with this id. The seal binds the id and the kind, so a secret that is moved to another row
   * does not open.
   */
  freshSecret(kind: ApiKeysTable["kind"], id: string): FreshSecret {
    if (kind === "secret") {
      const { text, digest } = newSecret("sk", id);
      return { secret_digest: digest, sealed_secret: null, shown: text };
    }
    const text = kind === "signing" ? newSecret("hs", id).text : null;
    const plain = text === null ? randomBytes(32) : Buffer.from(text, "utf8");
    const sealed = this.masterKeys.seal(plain, { keyId: id, purpose: `api-key:${kind}` });
    return { secret_digest: null, sealed_secret: sealed, shown: text };
  }

  /**
   * Checks a secret key.
   * @throws AppError `invalid_credentials` unless it is a live secret key of an enabled application, `forbidden` from a network
   * that the key does not allow, `rate_limited`
   */
  async authenticate(secret: string, origin: RequestOrigin): Promise<KeyCaller> {
    const digest = sha256Base64url(secret);
    const parsed = this.#parsed.get(digest) ?? parseSecret("sk", secret);
    const row = parsed ? await findApiKey(this.storage.read, parsed.keyId) : undefined;
    const now = this.clock.now();
    if (!parsed || row?.kind !== "secret") throw refused();
    const isCurrent = row.secret_digest !== null && digestEquals(row.secret_digest, parsed.digest);
    const isPrevious = row.previous_digest !== null && digestEquals(row.previous_digest, parsed.digest);
    if (!isCurrent && !isPrevious) throw refused();
    this.#parsed.set(digest, parsed);
    const { directory } = this;
    const application =
      directory.cachedApplication(row.application_id) ?? (await directory.application(row.application_id));
    const reason = whyRefused(row, application, isCurrent, now);
    if (reason !== null || application === null) return this.#refuse(row, origin, reason ?? "application", refused());
    const networks = row.networks === "[]" ? ANYWHERE : (JSON.parse(row.networks) as string[]);
    if (networks.length > 0 && !new NetworkList(networks).has(origin.address)) {
      const error = new AppError("forbidden", { message: "This key may not be used from this network." });
      return this.#refuse(row, origin, "network", error);
    }
    // A key without a limit descends from no key with one.
    if (row.rate_limit !== null) await this.#admit(row, now);
    this.touch(row.id, row.last_used_at, now);
    const scopes = this.#scopesOf(row.scopes);
    return {
      kind: "key",
      id: row.id,
      application,
      scopes,
      expiresAt: row.expires_at,
      rateLimit: row.rate_limit,
      networks,
    };
  }

  #scopesOf(text: string): ReadonlySet<string> {
    const known = this.#scopes.get(text);
    if (known) return known;
    const scopes = new Set(JSON.parse(text) as string[]);
    this.#scopes.set(text, scopes);
    return scopes;
  }

  /** A caller holds the right secret of an unusable key: the secret has leaked, or a backend was forgotten. */
  async #refuse(row: ApiKeysTable, origin: RequestOrigin, reason: string, error: AppError): Promise<never> {
    const act = new ActIn(placeOf(row.tenant_id, row.application_id), origin, ANONYMOUS);
    const target = { kind: "api_key", id: row.id };
    await this.storage.write((tx) => act.auditRefusal(tx, this.clock.now(), "api_key.refused", target, { reason }));
    throw error;
  }

  /** Counts a call against the limit of the key and of every key that it descends from: it has no budget of its own. */
  async #admit(row: ApiKeysTable, now: number): Promise<void> {
    const limits: [string, Limit][] = [];
    for (let key: ApiKeysTable | undefined = row; key; key = await this.#parentOf(key)) {
      if (key.rate_limit === null) continue;
      const limit = parseLimit(key.rate_limit);
      if (limit === null) throw new Error(`the key ${key.id} has an invalid limit`);
      limits.push([`api-key:${key.id}`, limit]);
    }
    const retryAfter = await this.storage.write((tx) => admitToAll(tx, limits, now));
    if (retryAfter > 0) throw new AppError("rate_limited", { retryAfter });
  }

  async #parentOf({ parent_id: id }: ApiKeysTable): Promise<ApiKeysTable | undefined> {
    return id === null ? undefined : findApiKey(this.storage.read, id);
  }

  /** Stores the last use with a precision of one hour, to avoid a write for every call. */
  touch(id: string, last: number | null, now: number): void {
    const known = Math.max(last ?? 0, this.#touched.get(id) ?? 0);
    if (Math.abs(now - known) < HOUR) return;
    this.#touched.set(id, now);
    this.storage.write((tx) => touchApiKey(tx, id, now)).catch(() => this.#touched.delete(id));
  }
}

/** Takes a call from every limit, or from none. @returns the seconds to wait, or 0 */
async function admitToAll(tx: Executor, limits: readonly [string, Limit][], now: number): Promise<number> {
  for (const [index, [key, limit]] of limits.entries()) {
    const answer = await admit(tx, key, limit, now);
    if (answer.admitted) continue;
    for (const [taken, its] of limits.slice(0, index)) await release(tx, taken, its);
    return answer.retryAfter;
  }
  return 0;
}

/** The longest lifetime of a customer-signed token, plus the clock tolerance (`product.md`, Credentials). */
export const SIGNED_TOKEN_LIFETIME = HOUR + MINUTE;

function whyRefused(row: ApiKeysTable, application: Application | null, isCurrent: boolean, now: number) {
  if (row.revoked_at !== null) return "revoked";
  if (row.expires_at !== null && row.expires_at <= now) return "expired";
  if (!isCurrent && (row.previous_expires_at ?? 0) <= now) return "rotated";
  if (!application || application.disabled) return "application";
  return application.tenant.disabled ? "tenant" : null;
}

function refused(): AppError {
  return new AppError("invalid_credentials", { message: "The secret key is not valid here." });
}
