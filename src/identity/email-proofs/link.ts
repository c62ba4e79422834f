import type { Tenant } from "../tenants/tenant.ts";

/** Returns the address of a mail's link. The token is in the fragment, which no server, log or Referer header sees. */
export function linkOf(tenant: Tenant, token: string): string {
  return `${tenant.issuer}/link#${token}`;
}
