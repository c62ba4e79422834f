/** The tables of how people sign in, as `schema.ts` says. */
/**
 * Mails on their way: written in the transaction of the act that they tell of. Recipient and content are sealed (they hold
 * links and codes) and gone once the mail is sent; the row goes after 7 days, a dead letter after 30.
 */
export interface OutboxMailsTable {
  id: string;
  tenant_id: string;
  user_id: string | null;
  template: string;
  /** JSON of the mail, under the data key `mail`; null once it is sent. */
  sealed: Uint8Array | null;
  /** For nobody: an unknown account costs the same work as a known one. */
  is_void: 0 | 1;
  attempts: number;
  created_at: number;
  /** When it is due, or until when somebody has it in hand; null when it is done with. */
  next_attempt_at: number | null;
  /** What it links to is dead from here on: it is not sent late. */
  expires_at: number;
  sent_at: number | null;
  /** Given up. */
  dead_at: number | null;
  /** The server's answer, without any address. */
  last_error: string | null;
}

/** A tenant's own words in place of the built-in ones. Kept until they are reset. */
export interface MailTemplatesTable {
  tenant_id: string;
  name: string;
  language: string;
  subject: string;
  body: string;
  updated_at: number;
}

/** Authenticator apps, one a user. Deleted with their user, by switching them off, or a day after a set-up was left undone. */
export interface TotpFactorsTable {
  user_id: string;
  tenant_id: string;
  /** Under the data key `totp`. */
  sealed_secret: Uint8Array;
  /** The last time step that was accepted: none is accepted twice (RFC 6238 section 5.2). */
  last_step: number;
  created_at: number;
  /** null until a first code was right. */
  enabled_at: number | null;
  last_used_at: number | null;
}

/** Recovery codes, as an HMAC under the data key `code-pepper`. Deleted with their user, and when new ones are made. */
export interface RecoveryCodesTable {
  user_id: string;
  digest: string;
  pepper_version: number;
  tenant_id: string;
  created_at: number;
  used_at: number | null;
}

/** WebAuthn credentials. Deleted with their user or by them. */
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

/** Devices that are not asked for a second factor again. Of their secret only the SHA-256. Deleted when they expire. */
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

/** What a user has signed in with before, to tell them of what is new. Deleted with their user and 400 days after the last use. */
export interface KnownDevicesTable {
  user_id: string;
  /** SHA-256 (base64url) of the device's description and the user's id. */
  digest: string;
  tenant_id: string;
  first_seen_at: number;
  last_seen_at: number;
}
