import { systemOrigin } from "../../core/caller.ts";
import type { Clock } from "../../core/clock.ts";
import { HOUR } from "../../core/clock.ts";
import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { RecentMap } from "../../core/recent-map.ts";
import { digestEquals, newSecret, type ParsedSecret, parseSecret, sha256Base64url } from "../../crypto/secrets.ts";
import type { Executor, Storage } from "../../storage/storage.ts";
import { appendAudit } from "../audit/store.ts";
import type { Application, Directory } from "../tenants/directory.ts";
import { findApiKey, insertApiKey, touchApiKey } from "./store.ts";

/** `admin` stands for every other one. */
export const SCOPES = ["admin", "users:read", "forward"] as const;
export type Scope = (typeof SCOPES)[number];

/** Secrets whose key is remembered, at most. */
const REMEMBERED = 10_000;

/** A secret key that was checked. */
export interface KeyCaller {
  id: string;
  application: Application;
  scopes: ReadonlySet<string>;
}

/** Secret keys: 256 random bits of which only the SHA-256 is kept, shown once. */
export class ApiKeys {
  readonly #touched = new Map<string, number>();
  /**
   * By the SHA-256 of secrets that were right: which row to look at and what to compare with it, never whether it is right
   * still. Reading the id out of a secret takes longer than its digest.
   */
  readonly #parsed = new RecentMap<ParsedSecret>(REMEMBERED);

  constructor(
    private readonly storage: Storage,
    private readonly clock: Clock,
    private readonly directory: Directory,
  ) {}

  /** @returns the secret, which nobody can read again */
  async createSecret(
    tx: Executor,
    input: { tenantId: string; applicationId: string; name: string; scopes: readonly Scope[] },
  ): Promise<{ id: string; secret: string }> {
    const now = this.clock.now();
    const id = newId(now);
    const { text, digest } = newSecret("sk", id);
    await insertApiKey(tx, {
      id,
      tenant_id: input.tenantId,
      application_id: input.applicationId,
      kind: "secret",
      name: input.name,
      secret_digest: digest,
      scopes: JSON.stringify(input.scopes),
      created_by: null,
      created_at: now,
      last_used_at: null,
      expires_at: null,
      revoked_at: null,
    });
    await appendAudit(tx, now, {
      tenantId: input.tenantId,
      actor: { kind: "system", id: null },
      action: "api_key.created",
      target: { kind: "api_key", id },
      applicationId: input.applicationId,
      origin: systemOrigin,
      details: { kind: "secret", name: input.name, scopes: input.scopes },
    });
    return { id, secret: text };
  }

  /** @throws AppError `invalid_credentials` for anything but a live secret key of an enabled application */
  async authenticate(secret: string): Promise<KeyCaller> {
    const digest = sha256Base64url(secret);
    const parsed = this.#parsed.get(digest) ?? parseSecret("sk", secret);
    const row = parsed ? await findApiKey(this.storage.read, parsed.keyId) : undefined;
    const now = this.clock.now();
    if (!parsed || row?.kind !== "secret" || !row.secret_digest || !digestEquals(row.secret_digest, parsed.digest)) {
      throw refused();
    }
    this.#parsed.set(digest, parsed);
    if (row.revoked_at !== null || (row.expires_at !== null && row.expires_at <= now)) throw refused();
    const application = await this.directory.application(row.application_id);
    if (!application || application.disabled || application.tenant.disabled) throw refused();
    this.#touch(row.id, row.last_used_at, now);
    return { id: row.id, application, scopes: new Set(JSON.parse(row.scopes) as string[]) };
  }

  /** Remembers the last use to the hour: a write for every call would be a write for every call. */
  #touch(id: string, last: number | null, now: number): void {
    const known = Math.max(last ?? 0, this.#touched.get(id) ?? 0);
    if (Math.abs(now - known) < HOUR) return;
    this.#touched.set(id, now);
    this.storage.write((tx) => touchApiKey(tx, id, now)).catch(() => this.#touched.delete(id));
  }
}

function refused(): AppError {
  return new AppError("invalid_credentials", { message: "The secret key is not valid here." });
}
