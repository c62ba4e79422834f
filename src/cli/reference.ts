import { parseId } from "../core/ids.ts";
import { findApplication } from "../identity/applications/public.ts";
import { findTenant, findTenantBySlug } from "../identity/tenants/public.ts";
import type { ApplicationsTable, TenantsTable } from "../storage/schema.ts";
import type { Executor } from "../storage/storage.ts";
import { CommandError } from "./command.ts";

/** Returns the tenant with this slug or id, in either form. @throws CommandError */
export async function tenantNamed(at: Executor, text: string): Promise<TenantsTable> {
  const id = parseId("tenant", text);
  const row = (id === null ? undefined : await findTenant(at, id)) ?? (await findTenantBySlug(at, text));
  if (row) return row;
  throw new CommandError(`There is no tenant ${text}. \`sallyport tenant list\` shows all tenants.`);
}

/** Returns the application with this id, in either form. @throws CommandError */
export async function applicationNamed(at: Executor, text: string): Promise<ApplicationsTable> {
  const id = parseId("application", text);
  if (id === null) {
    throw new CommandError(`${text} is not an application id. Use the UUID, or app_ and 26 characters.`);
  }
  const row = await findApplication(at, id);
  if (row) return row;
  throw new CommandError(`There is no application ${text}. \`sallyport app list\` shows all applications.`);
}
