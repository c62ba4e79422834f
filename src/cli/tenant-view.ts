import { toWireTime } from "../core/clock.ts";
import { toPrefixedId } from "../core/ids.ts";
import { tenantSettingsOf } from "../identity/tenants/tenant-settings.ts";
import type { TenantsTable } from "../storage/schema.ts";
import { table } from "./command.ts";

/** Returns a tenant as JSON. @param issuer null if the public URL is unknown */
export function tenantJson(row: TenantsTable, issuer: string | null) {
  return {
    id: row.id,
    prefixed_id: toPrefixedId("tenant", row.id),
    slug: row.slug,
    issuer,
    default_application_id: row.default_application_id,
    disabled: row.disabled_at !== null,
    ...tenantSettingsOf(row),
    created_at: toWireTime(row.created_at),
    updated_at: toWireTime(row.updated_at),
  };
}

/** Returns a tenant as lines for a terminal. */
export function tenantLines(row: TenantsTable, issuer: string | null): string[] {
  const view = tenantJson(row, issuer);
  return table([
    ["id", `${view.id}  (${view.prefixed_id})`],
    ["slug", view.slug],
    ["name", view.name],
    ["state", view.disabled ? "disabled" : "enabled"],
    ["issuer", issuer ?? "known with --public-url"],
    ["default application", view.default_application_id ?? "none"],
    ["mail from", view.mail_from ?? "the instance's mail_from"],
    ["reply to", view.mail_reply_to ?? "none"],
    ["language", view.language],
    ["notices off", view.notices_off.length > 0 ? view.notices_off.join(", ") : "none"],
  ]);
}
