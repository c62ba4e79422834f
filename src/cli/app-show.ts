import { applicationJson, applicationLines } from "./application-view.ts";
import { argument, type Command, configFlag, dataFlag, jsonFlag } from "./command.ts";
import { withIdentity } from "./open.ts";
import { applicationNamed, tenantNamed } from "./reference.ts";

export const appShow: Command = {
  name: "app show",
  arguments: "ID",
  summary: "Show an application with all its settings.",
  description: "ID is a UUID, or app_ and 26 characters.",
  flags: { data: dataFlag, config: configFlag, json: jsonFlag },
  run: (context) =>
    withIdentity(context, async ({ storage }) => {
      const row = await applicationNamed(storage.read, argument(context, 0, "ID"));
      const tenant = await tenantNamed(storage.read, row.tenant_id);
      if (context.flags.json) context.print(JSON.stringify(applicationJson(row, tenant)));
      else for (const line of applicationLines(row, tenant)) context.print(line);
      return 0;
    }),
};
