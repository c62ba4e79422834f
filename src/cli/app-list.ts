import { listApplications } from "../identity/applications/public.ts";
import { listTenants } from "../identity/tenants/public.ts";
import { applicationJson } from "./application-view.ts";
import { columns } from "./columns.ts";
import { type Command, configFlag, dataFlag, textFlag } from "./command.ts";
import { withIdentity } from "./open.ts";
import { tenantNamed } from "./reference.ts";

export const appList: Command = {
  name: "app list",
  summary: "List the applications of all tenants, or of one tenant.",
  flags: {
    tenant: { type: "string", value: "TENANT", doc: "Show only the applications of this tenant (slug or id)." },
    data: dataFlag,
    config: configFlag,
    json: { type: "boolean", doc: 'One line of JSON: { "data": [...] }.' },
  },
  examples: ["sallyport app list --json | jq -r '.data[].id'"],
  run: (context) =>
    withIdentity(context, async ({ storage }) => {
      const only = textFlag(context, "tenant");
      const tenants = only ? [await tenantNamed(storage.read, only)] : await listTenants(storage.read);
      const byId = new Map(tenants.map((tenant) => [tenant.id, tenant]));
      const rows = (await listApplications(storage.read, null)).flatMap((row) => {
        const tenant = byId.get(row.tenant_id);
        return tenant ? [applicationJson(row, tenant)] : [];
      });
      if (context.flags.json) {
        context.print(JSON.stringify({ data: rows }));
        return 0;
      }
      const cells = rows.map((row) => [
        row.id,
        row.tenant_slug,
        row.type,
        row.algorithm,
        row.disabled ? "disabled" : row.is_default ? "default" : "enabled",
        row.name,
      ]);
      for (const line of columns(["ID", "TENANT", "TYPE", "SIGNS", "STATE", "NAME"], cells)) context.print(line);
      return 0;
    }),
};
