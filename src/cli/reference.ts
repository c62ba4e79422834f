import { parseId } from "../core/ids.ts";
import { findApplication } from "../identity/applications/public.ts";
import { findTenant, findTenantBySlug } from "../identity/tenants/public.ts";
import type { ApplicationsTable, TenantsTable } from "../storage/schema.ts";
import type { Executor } from "../storage/storage.ts";
import { CommandError } from "./command.ts";

/** The tenant that a slug or either form of an id names. @throws CommandError */
export async function tenantNamed(at: Executor, text: string): Promise<TenantsTable> {
  const id = parseId("tenant", text);
  const row = (id === null ? undefined : await findTenant(at, id)) ?? (await findTenantBySlug(at, text));
  if (row) return row;
  throw new CommandError(`There is no tenant ${text}. \`sallyport tenant list\` shows them.`);
}

/** The application that either form of an id names. @throws CommandError */
export async function applicationNamed(at: Executor, text: string): Promise<ApplicationsTable> {
  const id = parseId("application", text);
  if (id === null) {
    throw new CommandError(`${text} is no application id: give the UUID or app_ and 26 characters.`);
  }
  const row = await findApplication(at, id);
  if (row) return row;
  throw new CommandError(`There is no application ${text}. \`sallyport app list\` shows them.`);
}
