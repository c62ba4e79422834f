import type { Tenant } from "../tenants/tenant.ts";

/** Where a mail's link leads: the token is in the fragment, which no server, log or Referer header sees. */
export function linkOf(tenant: Tenant, token: string): string {
  return `${tenant.issuer}/link#${token}`;
}
