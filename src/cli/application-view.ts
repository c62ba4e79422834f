import { toWireTime } from "../core/clock.ts";
import { toPrefixedId } from "../core/ids.ts";
import { fromColumns } from "../identity/applications/administration.ts";
import type { ApplicationsTable, TenantsTable } from "../storage/schema.ts";
import { table } from "./command.ts";

/** Returns an application as JSON, with lifetimes in seconds. */
export function applicationJson(row: ApplicationsTable, tenant: TenantsTable) {
  return {
    id: row.id,
    prefixed_id: toPrefixedId("application", row.id),
    tenant_id: tenant.id,
    tenant_slug: tenant.slug,
    is_default: tenant.default_application_id === row.id,
    disabled: row.disabled_at !== null,
    ...fromColumns(row),
    created_at: toWireTime(row.created_at),
    updated_at: toWireTime(row.updated_at),
  };
}

/** Returns an application as lines for a terminal. */
export function applicationLines(row: ApplicationsTable, tenant: TenantsTable): string[] {
  const view = applicationJson(row, tenant);
  const list = (values: readonly string[], none: string) => (values.length > 0 ? values.join(", ") : none);
  return table([
    ["id", `${view.id}  (${view.prefixed_id})`],
    ["name", view.name],
    ["tenant", `${view.tenant_slug}${view.is_default ? "  (its default application)" : ""}`],
    ["state", view.disabled ? "disabled" : "enabled"],
    ["type", view.type],
    ["algorithm", view.algorithm],
    ["origins", list(view.origins, "none")],
    ["audiences", list(view.audiences, "<issuer>/api/<id>")],
    ["sign-up", view.sign_up],
    ["sign-in", list(view.sign_in_methods, "none")],
    ["second factor", secondFactorText(view)],
    ["passkeys for", view.passkey_rp_id ?? "the host of the public URL"],
    ["home", view.home_url ?? "none"],
    ["access token", shortTime(view.access_token_ttl)],
    ["refresh, idle", shortTime(view.refresh_idle_ttl)],
    ["refresh, at most", shortTime(view.refresh_absolute_ttl)],
    ["refresh cookie", view.refresh_cookie_path],
  ]);
}

function secondFactorText(view: { mfa: string; mfa_grace: number; mfa_remember: number }): string {
  const grace = view.mfa === "required" && view.mfa_grace > 0 ? `, ${shortTime(view.mfa_grace)} of grace` : "";
  return view.mfa + grace + (view.mfa_remember > 0 ? `, devices remembered ${shortTime(view.mfa_remember)}` : "");
}

/** Returns seconds as `15m` or `30d` if that is exact. */
function shortTime(seconds: number): string {
  for (const [unit, size] of [
    ["d", 86_400],
    ["h", 3_600],
    ["m", 60],
  ] as const) {
    if (seconds % size === 0) return `${seconds / size}${unit}`;
  }
  return `${seconds}s`;
}
