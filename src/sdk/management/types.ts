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

export interface Application {
  id: string;
  name: string;
  type: "spa" | "web" | "native" | "m2m";
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
