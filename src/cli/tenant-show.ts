import { argument, type Command, configFlag, dataFlag, jsonFlag } from "./command.ts";
import { withIdentity } from "./open.ts";
import { tenantNamed } from "./reference.ts";
import { tenantJson, tenantLines } from "./tenant-view.ts";

export const tenantShow: Command = {
  name: "tenant show",
  arguments: "SLUG",
  summary: "Show a tenant with all its settings.",
  flags: { data: dataFlag, config: configFlag, json: jsonFlag },
  run: (context) =>
    withIdentity(context, async ({ storage, directory }, { settings }) => {
      const row = await tenantNamed(storage.read, argument(context, 0, "SLUG"));
      const issuer = settings.public_url === undefined ? null : directory.issuerOf(row.slug);
      if (context.flags.json) context.print(JSON.stringify(tenantJson(row, issuer)));
      else for (const line of tenantLines(row, issuer)) context.print(line);
      return 0;
    }),
};
