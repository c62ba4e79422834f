import { grantClient, MANAGEMENT_SCOPES, ungrantClient } from "../identity/clients/administration.ts";
import { listClientGrants } from "../identity/clients/public.ts";
import { columns } from "./columns.ts";
import { argument, type Command, configFlag, dataFlag, listFlag, textFlag, UsageError } from "./command.ts";
import { withIdentity } from "./open.ts";
import { applicationNamed } from "./reference.ts";

export const appGrant: Command = {
  name: "app grant",
  arguments: "APP",
  summary: "Set or show the scopes that an application of type m2m may request.",
  description:
    "Replaces the scopes for one audience. Without --audience it only shows the grants.\n" +
    `Scopes of the management API: ${MANAGEMENT_SCOPES.join(", ")}.`,
  flags: {
    audience: { type: "string", value: "AUD", doc: "`management`, or the URI of an API." },
    scope: { type: "string", multiple: true, value: "SCOPE", doc: "Repeat the flag, or use commas; '' for none." },
    remove: { type: "boolean", doc: "Remove the audience. Issued tokens for the management API lose it too." },
    data: dataFlag,
    config: configFlag,
    json: { type: "boolean", doc: 'One line of JSON: { "data": [...] }.' },
  },
  examples: [
    "sallyport app grant app_01HWY55QBEFY09M6SC7N75YR3H --audience management --scope users:read,users:write",
    "sallyport app grant app_01HWY55QBEFY09M6SC7N75YR3H --audience https://api.example.com --scope orders:read",
  ],
  run: (context) => {
    const audience = textFlag(context, "audience");
    const scopes = listFlag(context, "scope");
    const remove = context.flags.remove === true;
    if (audience === undefined && (scopes || remove)) throw new UsageError("--scope and --remove need --audience.");
    if (audience !== undefined && (scopes === undefined) !== remove) {
      throw new UsageError("--audience needs either --scope or --remove.");
    }
    return withIdentity(context, async ({ storage, clock }) => {
      const application = await applicationNamed(storage.read, argument(context, 0, "APP"));
      if (audience !== undefined) {
        await storage.write((tx) =>
          remove
            ? ungrantClient(tx, clock.now(), application, audience)
            : grantClient(tx, clock.now(), application, audience, scopes ?? []),
        );
      }
      const rows = (await listClientGrants(storage.read, application.id)).map((row) => ({
        audience: row.audience,
        scopes: JSON.parse(row.scopes) as string[],
      }));
      if (context.flags.json) context.print(JSON.stringify({ data: rows }));
      else {
        for (const line of columns(
          ["AUDIENCE", "SCOPES"],
          rows.map((row) => [row.audience, row.scopes.join(" ")]),
        )) {
          context.print(line);
        }
      }
      return 0;
    });
  },
};
