import type { PageOptions } from "./listing.ts";

/** As the wire has it: `snake_case`, times in RFC 3339, null for what is not there. */
export interface ManagedUser {
  id: string;
  /** The user's id in your own system, unique in the tenant. */
  external_id: string | null;
  email: string | null;
  email_verified: boolean;
  display_name: string | null;
  /** The user may read it. */
  metadata: Record<string, unknown>;
  /** The user may not. */
  private_metadata: Record<string, unknown>;
  disabled: boolean;
  created_at: string;
  updated_at: string;
}

export interface UserListOptions extends PageOptions {
  /** Only the user with this address. */
  email?: string | null | undefined;
  /** Only the user with this id in your own system. */
  external_id?: string | null | undefined;
  /** Only users whose display name or address begins with this. */
  search?: string | null | undefined;
}

export interface NewUser {
  email?: string | null | undefined;
  external_id?: string | null | undefined;
  display_name?: string | null | undefined;
  metadata?: Record<string, unknown> | undefined;
  private_metadata?: Record<string, unknown> | undefined;
}

/** What is left out stays; null removes. Metadata is merged (RFC 7396). */
export interface UserChange {
  external_id?: string | null | undefined;
  display_name?: string | null | undefined;
  metadata?: Record<string, unknown> | undefined;
  private_metadata?: Record<string, unknown> | undefined;
}

export interface ManagedApplication {
  /** The publishable id, which is its OAuth client_id. */
  id: string;
  name: string;
  type: "spa" | "web" | "native" | "m2m";
  /** Whether it is meant by requests that name none. */
  is_default: boolean;
  /** The `iss` of its tokens. */
  issuer: string;
  algorithm: "EdDSA" | "RS256" | "ES256";
  /** The `aud` of tokens that ask for none. */
  default_audience: string;
  audiences: string[];
  /** Pages that may call it. */
  origins: string[];
  sign_up: "immediate" | "verified" | "closed";
  /** Seconds. */
  access_token_ttl: number;
  /** Seconds that a session may lie idle. */
  refresh_idle_ttl: number;
  /** Seconds that a session may live at most. */
  refresh_absolute_ttl: number;
  refresh_cookie_path: string;
  created_at: string;
  updated_at: string;
}

export interface ManagedSession {
  /** The `sid` of its tokens, unchanged by refreshes. */
  id: string;
  application_id: string;
  user_id: string;
  aal: "aal1" | "aal2";
  auth_method: string;
  /** RFC 8176 values. */
  amr: string[];
  /** When the user authenticated; refreshes do not move it. */
  auth_time: string;
  user_agent: string | null;
  address: string | null;
  created_at: string;
  /** The last refresh. */
  last_seen_at: string;
  /** When it ends however often it is refreshed. */
  expires_at: string;
  ended_at: string | null;
  /** `logout`, `revoked`, `password_changed`, `refresh_reuse`, … */
  end_reason: string | null;
}

export interface SessionListOptions extends PageOptions {
  /** Only this user's; the id in either form. */
  user_id?: string | null | undefined;
}

/** An API that tokens may be for. */
export interface Resource {
  id: string;
  /** The `aud` of its tokens, unique in the tenant. It never changes. */
  audience: string;
  name: string;
  scopes: { name: string; description: string | null }[];
  created_at: string;
  updated_at: string;
}

export interface ResourceChange {
  name?: string | undefined;
  /** Replaced whole. */
  scopes?: readonly { name: string; description?: string | null | undefined }[] | undefined;
}

export interface NewResource extends ResourceChange {
  audience: string;
  name: string;
}

export interface ApiKey {
  id: string;
  application_id: string;
  kind: "secret" | "signing" | "public";
  name: string;
  scopes: string[];
  /** `100/1m`; null: no limit of its own. */
  rate_limit: string | null;
  /** Addresses and CIDR blocks that it may be used from; empty: anywhere. */
  networks: string[];
  created_by: string | null;
  created_at: string;
  last_used_at: string | null;
  rotated_at: string | null;
  previous_secret_expires_at: string | null;
  expires_at: string | null;
  revoked_at: string | null;
}

export interface NewApiKey extends ApiKey {
  /** Shown this once; null for a public key, and for a repeated call. */
  secret: string | null;
}

export interface ApiKeyRequest {
  name: string;
  kind?: ApiKey["kind"] | undefined;
  scopes?: readonly string[] | undefined;
  expires_at?: string | null | undefined;
  rate_limit?: string | null | undefined;
  networks?: readonly string[] | undefined;
}
