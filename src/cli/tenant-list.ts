import { listTenants } from "../identity/tenants/public.ts";
import { columns } from "./columns.ts";
import { type Command, configFlag, dataFlag } from "./command.ts";
import { withIdentity } from "./open.ts";
import { tenantJson } from "./tenant-view.ts";

export const tenantList: Command = {
  name: "tenant list",
  summary: "List the tenants of this instance.",
  flags: {
    data: dataFlag,
    config: configFlag,
    json: { type: "boolean", doc: 'One line of JSON: { "data": [...] }.' },
  },
  run: (context) =>
    withIdentity(context, async ({ storage, directory }, { settings }) => {
      const rows = (await listTenants(storage.read)).map((row) =>
        tenantJson(row, settings.public_url === undefined ? null : directory.issuerOf(row.slug)),
      );
      if (context.flags.json) {
        context.print(JSON.stringify({ data: rows }));
        return 0;
      }
      const headings = ["ID", "SLUG", "DEFAULT APPLICATION", "LANGUAGE", "MAIL FROM", "NAME"];
      const cells = rows.map((row) => [
        row.id,
        row.slug,
        row.default_application_id ?? "none",
        row.language,
        row.mail_from ?? "(mail_from)",
        row.name,
      ]);
      for (const line of columns(headings, cells)) context.print(line);
      return 0;
    }),
};
