import type { ApplicationsTable, MfaPolicy } from "../../storage/schema.ts";
import type { Tenant } from "../tenants/tenant.ts";

export interface Application {
  id: string;
  tenant: Tenant;
  name: string;
  type: ApplicationsTable["type"];
  algorithm: ApplicationsTable["algorithm"];
  origins: ReadonlySet<string>;
  audiences: readonly string[];
  signUp: ApplicationsTable["sign_up"];
  signInMethods: ReadonlySet<string>;
  mfa: MfaPolicy;
  /** In seconds. */
  mfaGrace: number;
  /** In ms since the epoch; null unless `mfa` is `required`. */
  mfaRequiredAt: number | null;
  /** Since when the application asks for second factors at all. null: since ever, or never. */
  mfaAskedAt: number | null;
  /** In seconds; 0 asks for a second factor at every sign-in. */
  mfaRemember: number;
  /** null: the host of the public URL. */
  passkeyRpId: string | null;
  homeUrl: string | null;
  /** In seconds. */
  accessTokenTtl: number;
  refreshIdleTtl: number;
  refreshAbsoluteTtl: number;
  refreshCookiePath: string;
  disabled: boolean;
  /** Tokens issued before this time are refused, in ms: the application was disabled since, or its tenant restored. */
  tokensFrom: number;
  /** Whether this is its tenant's default application. Its cookies have no suffix. */
  isDefault: boolean;
  /** The `aud` of tokens when the request names no audience. */
  defaultAudience: string;
}

/** @param more.pagesOf turns the stored list into the set of allowed pages */
export function toApplication(
  row: ApplicationsTable,
  tenant: Tenant,
  more: { tokensFrom: number; pagesOf: (listed: string[]) => ReadonlySet<string> },
): Application {
  const audiences = JSON.parse(row.audiences) as string[];
  return {
    id: row.id,
    tenant,
    name: row.name,
    type: row.type,
    algorithm: row.algorithm,
    origins: more.pagesOf(JSON.parse(row.origins) as string[]),
    audiences,
    signUp: row.sign_up,
    signInMethods: new Set(JSON.parse(row.sign_in_methods) as string[]),
    mfa: row.mfa,
    mfaGrace: row.mfa_grace,
    mfaRequiredAt: row.mfa_required_at,
    mfaAskedAt: row.mfa_asked_at,
    mfaRemember: row.mfa_remember,
    passkeyRpId: row.passkey_rp_id,
    homeUrl: row.home_url,
    accessTokenTtl: row.access_token_ttl,
    refreshIdleTtl: row.refresh_idle_ttl,
    refreshAbsoluteTtl: row.refresh_absolute_ttl,
    refreshCookiePath: row.refresh_cookie_path,
    disabled: row.disabled_at !== null,
    tokensFrom: more.tokensFrom,
    isDefault: tenant.defaultApplicationId === row.id,
    defaultAudience: audiences[0] ?? `${tenant.issuer}/api/${row.id}`,
  };
}
