import { Database } from "bun:sqlite";

/** Reads a session with its user, as the session check needs them. */
export const BUNDLE = `SELECT s.id AS sid, s.tenant_id, s.application_id, s.user_id, s.aal, s.auth_method, s.amr, s.authenticated_at,
      s.audience, s.scope, s.user_agent, s.address, s.generation, s.refresh_issued_at, s.refresh_expires_at,
      s.created_at AS session_created_at, s.last_seen_at, s.expires_at, s.ended_at, u.external_id, u.display_name,
      u.public_metadata, u.created_at AS user_created_at, u.updated_at AS user_updated_at, u.disabled_at, u.deleted_at,
      e.address AS email, e.verified_at AS email_verified_at
    FROM sessions s JOIN users u ON u.id = s.user_id
    LEFT JOIN user_emails e ON e.user_id = u.id AND e.is_primary = 1 WHERE s.id = +?`;

/**
 * Opens the floor's database: the same data, and the same statements prepared by hand, without any layer. It binds `+?`,
 * because SQLite prepares a join again whenever a bare `?` in it is bound.
 */
export function openDatabase(file: string) {
  const writer = new Database(file, { readwrite: true, create: false });
  writer.run("PRAGMA journal_mode = WAL");
  writer.run("PRAGMA synchronous = FULL");
  writer.run("PRAGMA foreign_keys = ON");
  const reader = new Database(file, { readonly: true });
  return {
    writer,
    reader,
    session: reader.prepare<Bundle, [string]>(BUNDLE),
    application: reader.prepare<ApplicationRow, [string]>("SELECT * FROM applications WHERE id = +?"),
    signingKeys: reader.prepare<{ id: string; algorithm: string; public_jwk: string }, []>(
      "SELECT * FROM signing_keys",
    ),
    apiKey: reader.prepare<ApiKeyRow, [string]>("SELECT * FROM api_keys WHERE id = +?"),
    users: reader.prepare<UserRow, [string, number]>(
      `SELECT u.*, e.address AS email, e.verified_at AS email_verified_at FROM users u
        LEFT JOIN user_emails e ON e.user_id = u.id AND e.is_primary = 1
        WHERE u.tenant_id = +? AND u.deleted_at IS NULL ORDER BY u.id LIMIT +?`,
    ),
    advance: writer.prepare<{ generation: number }, [number, number, number, number, number, string, number]>(
      `UPDATE sessions SET generation = +?, refresh_issued_at = +?, refresh_expires_at = +?, rotated_at = +?, last_seen_at = +?
        WHERE id = +? AND generation = +? AND ended_at IS NULL
        AND EXISTS (SELECT 1 FROM users WHERE users.id = sessions.user_id AND disabled_at IS NULL AND deleted_at IS NULL)
        RETURNING generation`,
    ),
    audit: writer.prepare<never, (string | number | null)[]>(
      `INSERT INTO audit_entries (tenant_id, occurred_at, actor_kind, actor_id, action, target_kind, target_id,
        application_id, address, user_agent, request_id, details, chain_mac)
        VALUES (+?, +?, 'user', +?, 'client.token_issued', 'session', +?, +?, +?, +?, +?, '{}', NULL)`,
    ),
  };
}

export interface Bundle {
  sid: string;
  tenant_id: string;
  application_id: string;
  user_id: string;
  aal: string;
  auth_method: string;
  amr: string;
  authenticated_at: number;
  audience: string;
  scope: string;
  user_agent: string | null;
  address: string | null;
  generation: number;
  refresh_issued_at: number;
  refresh_expires_at: number;
  session_created_at: number;
  last_seen_at: number;
  expires_at: number;
  ended_at: number | null;
  external_id: string | null;
  display_name: string | null;
  public_metadata: string;
  user_created_at: number;
  user_updated_at: number;
  disabled_at: number | null;
  deleted_at: number | null;
  email: string | null;
  email_verified_at: number | null;
}

export interface ApplicationRow {
  id: string;
  name: string;
  type: string;
}

interface ApiKeyRow {
  tenant_id: string;
  application_id: string;
  secret_digest: Uint8Array;
  scopes: string;
  revoked_at: number | null;
}

export interface UserRow {
  id: string;
  external_id: string | null;
  email: string | null;
  email_verified_at: number | null;
  display_name: string | null;
  public_metadata: string;
  private_metadata: string;
  created_at: number;
  updated_at: number;
  disabled_at: number | null;
}

/**
 * Group commit: the writes of one loop turn share a transaction and one flush, and are answered after it. Every write is
 * one synchronous function.
 */
export function groupCommit(writer: Database) {
  let queue: { work: () => unknown; resolve: (value: never) => void; reject: (error: unknown) => void }[] = [];
  const flush = () => {
    const jobs = queue;
    queue = [];
    const values: unknown[] = [];
    try {
      writer.run("BEGIN IMMEDIATE");
      for (const job of jobs) values.push(job.work());
      writer.run("COMMIT");
    } catch (error) {
      if (writer.inTransaction) writer.run("ROLLBACK");
      for (const job of jobs) job.reject(error);
      return;
    }
    jobs.forEach((job, index) => {
      job.resolve(values[index] as never);
    });
  };
  return <T>(work: () => T): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (queue.push({ work, resolve: resolve as (value: never) => void, reject }) === 1) setImmediate(flush);
    });
}
