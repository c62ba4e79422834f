import type {
  AccountDevicesTable,
  FormerEmailsTable,
  MailTemplatesTable,
  OutboxMailsTable,
  PasskeysTable,
  RecoveryCodesTable,
  TotpFactorsTable,
  TrustedDevicesTable,
} from "./schema-people.ts";

/**
 * Every table, as TypeScript sees it. Uses portable types only: text, integers and bytes. A time is integer milliseconds,
 * and its column ends in `_at`. A boolean is 0 or 1. JSON is text. Each table says what it keeps and for how long.
 */
type Flag = 0 | 1;
export type KeyAlgorithm = "EdDSA" | "RS256" | "ES256";
export type ApplicationType = "spa" | "web" | "native" | "m2m";
export type SignUpMode = "immediate" | "verified" | "closed";
export type Delivery = "cookie" | "memory";
/** The users who need a second factor: none, those who have set one up, or all. */
export type MfaPolicy = "off" | "optional" | "required";

/** Facts about the installation (its id, the check value of the master key). Kept for ever. */
export interface InstanceSettingsTable {
  name: string;
  value: string;
}

/** Random keys, each for one purpose, sealed by the master key. Kept for ever: old tokens and hashes name their version. */
export interface DataKeysTable {
  purpose: string;
  version: number;
  sealed: Uint8Array;
  created_at: number;
  retired_at: number | null;
}

/** Separate pools of users. Kept until an operator deletes them. */
export interface TenantsTable {
  id: string;
  slug: string;
  name: string;
  default_application_id: string | null;
  created_at: number;
  updated_at: number;
  disabled_at: number | null;
  /** The language of its mails when no mail is in the reader's language: `en`, `de`. */
  language: string;
  /** `Acme <no-reply@acme.example>`; null: the instance's `mail_from`. */
  mail_from: string | null;
  mail_reply_to: string | null;
  /** JSON array of the security notices that are switched off. */
  notices_off: string;
}

/** The applications that tokens are issued for. Kept until an operator deletes them. */
export interface ApplicationsTable {
  id: string;
  tenant_id: string;
  name: string;
  type: ApplicationType;
  algorithm: KeyAlgorithm;
  /** JSON array of origins. */
  origins: string;
  /** JSON array of exact redirect URIs. */
  redirect_uris: string;
  /** JSON array of audiences; the first one is the default. */
  audiences: string;
  sign_up: SignUpMode;
  /** Seconds. */
  access_token_ttl: number;
  /** Seconds that a session may be idle. */
  refresh_idle_ttl: number;
  /** Seconds that a session may live at most. */
  refresh_absolute_ttl: number;
  refresh_cookie_path: string;
  created_at: number;
  updated_at: number;
  disabled_at: number | null;
  /** JSON array of its allowed sign-in methods. */
  sign_in_methods: string;
  mfa: MfaPolicy;
  /** Seconds that a user without a second factor has to set one up once it is required. */
  mfa_grace: number;
  /** Since when `mfa` is `required`. */
  mfa_required_at: number | null;
  /** When `mfa` was last changed from `off`; null: never. */
  mfa_asked_at: number | null;
  /** Seconds that a device skips the second factor; 0: never. */
  mfa_remember: number;
  /** The RP ID of its passkeys; null: the host of the public URL. */
  passkey_rp_id: string | null;
  /** The page that users reach from the pages that mails link to. */
  home_url: string | null;
  /** When the last token of a lifetime before the last change has expired. It never moves back. */
  tokens_until_at: number;
}

/**
 * People. A deleted user stays for ever as a tombstone without personal data, so that its external id cannot be reused.
 */
export interface UsersTable {
  id: string;
  tenant_id: string;
  external_id: string | null;
  display_name: string | null;
  /** JSON object, readable by the user. */
  public_metadata: string;
  /** JSON object, readable by the customer's backend only. */
  private_metadata: string;
  created_at: number;
  updated_at: number;
  disabled_at: number | null;
  deleted_at: number | null;
  /** The form of the display name that a search compares. Sorted byte by byte. */
  search_name: string | null;
  /** Made without any credential. The first credential upgrades the same user. */
  is_anonymous: Flag;
}

/** E-mail addresses, unique in a tenant by their canonical form. Deleted with their user. */
export interface UserEmailsTable {
  id: string;
  tenant_id: string;
  user_id: string;
  address: string;
  canonical: string;
  is_primary: Flag;
  verified_at: number | null;
  created_at: number;
}

/** One password hash per user. Deleted with its user. */
export interface PasswordCredentialsTable {
  user_id: string;
  tenant_id: string;
  /** The pepper's version and argon2id's PHC string of the peppered password. */
  hash: string;
  /** Rises at each change. A sign-in that checked an older password is refused at its commit. */
  version: number;
  set_at: number;
}

/** One sign-in each, with the current generation of its refresh token. Deleted 30 days after its end, and with its user. */
export interface SessionsTable {
  id: string;
  tenant_id: string;
  application_id: string;
  user_id: string;
  organization_id: string | null;
  aal: "aal1" | "aal2";
  auth_method: string;
  /** JSON array of RFC 8176 values. */
  amr: string;
  authenticated_at: number;
  audience: string;
  scope: string;
  delivery: Delivery;
  user_agent: string | null;
  address: string | null;
  generation: number;
  refresh_issued_at: number;
  refresh_expires_at: number;
  rotated_at: number | null;
  created_at: number;
  last_seen_at: number;
  expires_at: number;
  ended_at: number | null;
  end_reason: string | null;
  /** The trusted device that stood for the second factor, and until when it may; null for other sessions. */
  trusted_device_id: string | null;
  trusted_until: number | null;
  /** 1 if a recovery code stood for the second factor without making two different factors. */
  is_stand_in: 0 | 1;
}

/** Keys that sign tokens. Public keys stay published until the last token has expired, and the row stays 30 days longer. */
export interface SigningKeysTable {
  id: string;
  tenant_id: string;
  algorithm: KeyAlgorithm;
  /** JSON: the public JWK with kid, use and alg. */
  public_jwk: string;
  sealed_private: Uint8Array;
  created_at: number;
  /** Signs from this time on. */
  active_at: number;
  /** Signs until this time. */
  retired_at: number | null;
  /** Leaves the JWKS at this time. */
  expires_at: number | null;
  /** When an operator withdrew it, because it may have leaked: it left the JWKS, and its tokens are refused. */
  withdrawn_at: number | null;
}

/** Steps of a sign-in or another flow, kept on the server. Deleted a day after they expire. */
export interface FlowsTable {
  id: string;
  tenant_id: string;
  application_id: string;
  user_id: string | null;
  kind: string;
  step: string;
  /** JSON. */
  state: string;
  attempts: number;
  created_at: number;
  expires_at: number;
  consumed_at: number | null;
  /** SHA-256 (base64url) of all that decides a mail, on the flow that sent one. Later requests for the same mail use it. */
  mail: string | null;
}

/**
 * API keys. A secret key is kept as its SHA-256 only. The other kinds are sealed, because an HMAC needs their secret.
 * Deleted 90 days after they were revoked or expired; the previous secret of a rotation goes within an hour of its end.
 */
export interface ApiKeysTable {
  id: string;
  tenant_id: string;
  application_id: string;
  kind: "secret" | "signing" | "public";
  name: string;
  secret_digest: Uint8Array | null;
  /** JSON array. */
  scopes: string;
  created_by: string | null;
  created_at: number;
  last_used_at: number | null;
  expires_at: number | null;
  revoked_at: number | null;
  sealed_secret: Uint8Array | null;
  /** Rises at each rotation, so that one of two simultaneous rotations is refused. */
  generation: number;
  /** The secret before the last rotation, valid until `previous_expires_at`. */
  previous_digest: Uint8Array | null;
  previous_sealed: Uint8Array | null;
  previous_expires_at: number | null;
  rotated_at: number | null;
  /** In the format of `core/limits.ts`: `100/1m`. */
  rate_limit: string | null;
  /** JSON array of addresses and CIDR blocks; empty: all addresses. */
  networks: string;
  /** The key that made this one; null for a key of set-up, of a command, or of an M2M client. Its row may be gone. */
  parent_id: string | null;
}

/**
 * Creating calls that a client may repeat: the caller, the request and the created row. No body is kept, so the record holds
 * neither a secret nor personal data. Deleted after a day.
 */
export interface IdempotencyRecordsTable {
  /** SHA-256 (base64url) of the caller, the procedure and the Idempotency-Key. */
  digest: string;
  tenant_id: string;
  /** SHA-256 (base64url) of the input. */
  request_digest: string;
  target_id: string;
  expires_at: number;
}

/** API resources: an audience and its scopes, unique in a tenant. Kept until they are deleted. */
export interface ApiResourcesTable {
  id: string;
  tenant_id: string;
  audience: string;
  name: string;
  /** JSON array of `{ name, description }`. */
  scopes: string;
  created_at: number;
  updated_at: number;
}

/** Secrets of M2M clients, two at most. Only their SHA-256 is kept. Deleted 90 days after they were revoked. */
export interface ClientSecretsTable {
  id: string;
  tenant_id: string;
  application_id: string;
  /** 1 or 2, so that the database refuses a third live secret. */
  slot: number;
  secret_digest: Uint8Array;
  created_at: number;
  last_used_at: number | null;
  revoked_at: number | null;
}

/** The scopes that an M2M client may ask for. Kept until an operator revokes them. */
export interface ClientGrantsTable {
  application_id: string;
  /** `management`, or the URI of an API resource. */
  audience: string;
  tenant_id: string;
  /** JSON array. */
  scopes: string;
  created_at: number;
  updated_at: number;
}

/** Users that apps name with a public key, in a separate name space per key. Kept as long as their user. */
export interface PublicUsersTable {
  key_id: string;
  /** The `user_id` that the app sent. */
  subject: string;
  tenant_id: string;
  user_id: string;
  created_at: number;
}

/** Tokens that verifiers must refuse before they expire. Kept as long as the longest access token lives. */
export interface RevocationsTable {
  tenant_id: string;
  /** Without gaps in a tenant, and in commit order, so that a reader's cursor misses nothing. */
  seq: number;
  kind: "sid" | "jti" | "sub" | "application" | "secret" | "key" | "tenant";
  /** SHA-256 (base64url) of the id. */
  digest: string;
  /** Tokens whose `iat` is earlier are refused. */
  issued_before_at: number;
  created_at: number;
  expires_at: number;
}

/** Counters whose row lock orders the numbered rows. Kept for ever. */
export interface CountersTable {
  name: string;
  value: number;
}

/** Rate limits: the theoretical arrival time (TAT) of each key (GCRA). Deleted once it is past. */
export interface RateLimitsTable {
  key: string;
  tat_at: number;
  expires_at: number;
}

/** The audit log: append-only. Kept `audit_retention_days` (365). */
export interface AuditEntriesTable {
  /** Assigned by the database. */
  seq: number;
  tenant_id: string | null;
  occurred_at: number;
  actor_kind: "user" | "key" | "client" | "operator" | "system" | "anonymous";
  actor_id: string | null;
  action: string;
  target_kind: string | null;
  target_id: string | null;
  application_id: string | null;
  address: string | null;
  user_agent: string | null;
  request_id: string | null;
  /** JSON object. */
  details: string;
  /** Keyed chain over the entries in order. A later job seals it; null until then. */
  chain_mac: Uint8Array | null;
}

/** How often a refusal came in one window, so that a flood writes only a few audit entries. Deleted after a day. */
export interface AuditFloodsTable {
  key: string;
  times: number;
  expires_at: number;
}

export interface Database {
  instance_settings: InstanceSettingsTable;
  data_keys: DataKeysTable;
  tenants: TenantsTable;
  applications: ApplicationsTable;
  users: UsersTable;
  user_emails: UserEmailsTable;
  former_emails: FormerEmailsTable;
  password_credentials: PasswordCredentialsTable;
  sessions: SessionsTable;
  signing_keys: SigningKeysTable;
  flows: FlowsTable;
  api_keys: ApiKeysTable;
  idempotency_records: IdempotencyRecordsTable;
  api_resources: ApiResourcesTable;
  client_secrets: ClientSecretsTable;
  client_grants: ClientGrantsTable;
  public_users: PublicUsersTable;
  revocations: RevocationsTable;
  counters: CountersTable;
  rate_limits: RateLimitsTable;
  audit_entries: AuditEntriesTable;
  audit_floods: AuditFloodsTable;
  outbox_mails: OutboxMailsTable;
  mail_templates: MailTemplatesTable;
  totp_factors: TotpFactorsTable;
  recovery_codes: RecoveryCodesTable;
  passkeys: PasskeysTable;
  trusted_devices: TrustedDevicesTable;
  account_devices: AccountDevicesTable;
}
