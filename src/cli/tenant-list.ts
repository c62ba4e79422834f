import { toWireTime } from "../core/clock.ts";
import { toPrefixedId } from "../core/ids.ts";
import { listTenants } from "../identity/tenants/store.ts";
import { columns } from "./columns.ts";
import { type Command, configFlag, dataFlag } from "./command.ts";
import { withIdentity } from "./open.ts";

export const tenantList: Command = {
  name: "tenant list",
  summary: "The tenants of this instance.",
  flags: {
    data: dataFlag,
    config: configFlag,
    json: { type: "boolean", doc: 'One line of JSON: { "data": [...] }.' },
  },
  run: (context) =>
    withIdentity(context, async ({ storage, directory }, { settings }) => {
      const rows = (await listTenants(storage.read)).map((row) => ({
        id: row.id,
        prefixed_id: toPrefixedId("tenant", row.id),
        slug: row.slug,
        name: row.name,
        issuer: settings.public_url === undefined ? null : directory.issuerOf(row.slug),
        default_application_id: row.default_application_id,
        disabled: row.disabled_at !== null,
        created_at: toWireTime(row.created_at),
      }));
      if (context.flags.json) {
        context.print(JSON.stringify({ data: rows }));
        return 0;
      }
      const cells = rows.map((row) => [row.id, row.slug, row.default_application_id ?? "none", row.name]);
      for (const line of columns(["ID", "SLUG", "DEFAULT APPLICATION", "NAME"], cells)) context.print(line);
      return 0;
    }),
};
