import { toWireTime } from "../core/clock.ts";
import { listClientSecrets } from "../identity/clients/public.ts";
import { columns } from "./columns.ts";
import { argument, type Command, configFlag, dataFlag } from "./command.ts";
import { withIdentity } from "./open.ts";
import { applicationNamed } from "./reference.ts";

export const appSecretList: Command = {
  name: "app secret list",
  arguments: "APP",
  summary: "List the client secrets of an application, without their values. Revoked ones stay for 90 days.",
  flags: {
    data: dataFlag,
    config: configFlag,
    json: { type: "boolean", doc: 'One line of JSON: { "data": [...] }.' },
  },
  run: (context) =>
    withIdentity(context, async ({ storage }) => {
      const application = await applicationNamed(storage.read, argument(context, 0, "APP"));
      const rows = (await listClientSecrets(storage.read, application.id)).map((row) => ({
        id: row.id,
        created_at: toWireTime(row.created_at),
        last_used_at: row.last_used_at === null ? null : toWireTime(row.last_used_at),
        revoked_at: row.revoked_at === null ? null : toWireTime(row.revoked_at),
      }));
      if (context.flags.json) {
        context.print(JSON.stringify({ data: rows }));
        return 0;
      }
      const cells = rows.map((row) => [row.id, row.created_at, row.last_used_at ?? "", row.revoked_at ?? ""]);
      for (const line of columns(["ID", "CREATED", "LAST USED", "REVOKED"], cells)) context.print(line);
      return 0;
    }),
};
