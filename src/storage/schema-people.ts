/** The tables of the sign-in methods and their mails. The rules are in `schema.ts`. */
/**
 * Mails on their way, written in the transaction of the event that they report. Recipient and content are sealed, because
 * they hold links and codes, and are removed once the mail is sent. The row goes after 7 days, a dead letter after 30.
 */
export interface OutboxMailsTable {
  id: string;
  tenant_id: string;
  user_id: string | null;
  template: string;
  /** JSON of the mail, under the data key `mail`; null once it is sent. */
  sealed: Uint8Array | null;
  /** This mail has no recipient: an unknown account must cost the same work as a known one. */
  is_void: 0 | 1;
  attempts: number;
  created_at: number;
  /** When it is due, or until when a worker holds it; null when it is finished. */
  next_attempt_at: number | null;
  /** Its link is dead from here on, so it is not sent later. */
  expires_at: number;
  sent_at: number | null;
  /** When delivery was given up. */
  dead_at: number | null;
  /** The server's answer without any address. */
  last_error: string | null;
}

/** A tenant's own texts in place of the built-in ones. Kept until they are reset. */
export interface MailTemplatesTable {
  tenant_id: string;
  name: string;
  language: string;
  subject: string;
  body: string;
  updated_at: number;
}

/** Authenticator apps, one per user. Deleted with their user, when switched off, or a day after an unfinished set-up. */
export interface TotpFactorsTable {
  user_id: string;
  tenant_id: string;
  /** Sealed with the data key `totp`; null until a first code was right. */
  sealed_secret: Uint8Array | null;
  /** The secret of a set-up that waits for its first code, beside the secret in use. */
  pending_secret: Uint8Array | null;
  pending_at: number | null;
  /** The flow or the session that began the set-up. Only it may finish the set-up. */
  pending_for: string | null;
  /** The last accepted time step. No step is accepted twice (RFC 6238 section 5.2). */
  last_step: number;
  created_at: number;
  /** null until a first code was right. */
  enabled_at: number | null;
  last_used_at: number | null;
}

/** Recovery codes, as an HMAC under the data key `code-pepper`. Deleted with their user, and when new codes replace them. */
export interface RecoveryCodesTable {
  user_id: string;
  digest: string;
  pepper_version: number;
  tenant_id: string;
  created_at: number;
  used_at: number | null;
}

/** WebAuthn credentials. Deleted with their user or by their user. */
export interface PasskeysTable {
  id: string;
  tenant_id: string;
  user_id: string;
  /** base64url. */
  credential_id: string;
  /** COSE. */
  public_key: Uint8Array;
  rp_id: string;
  counter: number;
  /** JSON array. */
  transports: string;
  aaguid: string;
  is_backup_eligible: 0 | 1;
  is_backed_up: 0 | 1;
  name: string;
  created_at: number;
  last_used_at: number | null;
}

/** Devices that skip the second factor. Only the SHA-256 of their secret is kept. Deleted when they expire. */
export interface TrustedDevicesTable {
  id: string;
  tenant_id: string;
  application_id: string;
  user_id: string;
  secret_digest: Uint8Array;
  user_agent: string | null;
  created_at: number;
  last_used_at: number | null;
  expires_at: number;
}

/**
 * Devices that have signed in to an account. Only the SHA-256 of the secret in their cookie is kept. A browser has one secret
 * for all its accounts of a tenant. Deleted with their user, 400 days after their last sign-in, and beyond the latest few. The latest
 * one stays: without any, a stranger's sign-in would count as the user's first, and cause no notice.
 */
export interface AccountDevicesTable {
  user_id: string;
  /** SHA-256 (base64url) of the secret. */
  digest: string;
  tenant_id: string;
  first_seen_at: number;
  last_seen_at: number;
}

/**
 * Proven addresses that a user removed. They hear of a deletion of the account for seven days. Deleted with their user, after
 * seven days, and when the owner takes the account back from an intruder.
 */
export interface FormerEmailsTable {
  user_id: string;
  canonical: string;
  tenant_id: string;
  address: string;
  verified_at: number;
  removed_at: number;
}
