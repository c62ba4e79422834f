import { fromColumns } from "../identity/applications/administration.ts";
import { isWithinDomain } from "../identity/applications/relying-party.ts";
import type { ApplicationsTable } from "../storage/schema.ts";
import { applicationChanges, applicationFlags } from "./application-flags.ts";
import { applicationJson, applicationLines } from "./application-view.ts";
import {
  argument,
  type Command,
  type CommandContext,
  configFlag,
  dataFlag,
  jsonFlag,
  listFlag,
  UsageError,
} from "./command.ts";
import { withIdentity } from "./open.ts";
import { applicationNamed, tenantNamed } from "./reference.ts";

export const appSet: Command = {
  name: "app set",
  arguments: "ID",
  summary: "Change an application. A running server follows within seconds.",
  description:
    "Settings without a flag stay as they are. --origin and --audience replace the whole list; --add-origin and\n" +
    "--remove-origin change it. A disabled application takes no sign-in and no refresh, and its tokens are refused. After\n" +
    "--algorithm, earlier tokens verify only against <issuer>/oauth2/jwks, until they expire.",
  flags: {
    ...applicationFlags,
    "add-origin": { type: "string", multiple: true, value: "ORIGIN", doc: "Allow another origin." },
    "remove-origin": { type: "string", multiple: true, value: "ORIGIN", doc: "No longer allow this origin." },
    disable: { type: "boolean", doc: "Disable the application." },
    enable: { type: "boolean", doc: "Enable the application again." },
    default: { type: "boolean", doc: "Make it the default of its tenant: requests that name no application use it." },
    data: dataFlag,
    config: configFlag,
    json: jsonFlag,
  },
  examples: [
    "sallyport app set app_01HWY4MYSEFGESW2GZ5CY4TQKF --add-origin https://shop.example.com",
    "sallyport app set 018f3c4a-7b2e-7c1d-9e0a-1f2b3c4d5e6f --sign-up closed --access-token-ttl 5m",
  ],
  run: async (context) => {
    const changes = applicationChanges(context);
    const { disable, enable, default: isDefault } = context.flags;
    const added = listFlag(context, "add-origin");
    const removed = listFlag(context, "remove-origin");
    if (disable && enable) throw new UsageError("Use either --disable or --enable, not both.");
    if (changes.origins && (added || removed)) {
      throw new UsageError(
        "--origin replaces the list that --add-origin and --remove-origin change. Use only one kind.",
      );
    }
    if (Object.keys(changes).length === 0 && !disable && !enable && !isDefault && !added && !removed) {
      throw new UsageError("Name at least one setting to change. `sallyport app set --help` lists them.");
    }
    return withIdentity(context, async ({ storage, clock, applications, keyring, directory }) => {
      const named = await applicationNamed(storage.read, argument(context, 0, "ID"));
      await storage.write(async (tx) => {
        const now = clock.now();
        let row = await applicationNamed(tx, named.id);
        const origins = changedOrigins(row, added, removed);
        const wanted = origins ? { ...changes, origins } : changes;
        if (Object.keys(wanted).length > 0) row = await applications.change(tx, now, row, wanted);
        if (disable || enable) row = await applications.setDisabled(tx, now, row, disable === true);
        if (isDefault) await applications.makeDefault(tx, now, row);
      });
      const row = await applicationNamed(storage.read, named.id);
      // Creates the key now, so that the next sign-in does not wait for it.
      await keyring.signer(row.tenant_id, row.algorithm);
      warnOfDomain(context, row, directory.publicUrl);
      printChanged(context, row, await tenantNamed(storage.read, row.tenant_id));
      return 0;
    });
  },
};

/** @throws CommandError when an origin to remove is not on the list */
function changedOrigins(row: ApplicationsTable, added?: string[], removed?: string[]): string[] | undefined {
  if (!added && !removed) return undefined;
  const origins = new Set(fromColumns(row).origins);
  for (const origin of removed ?? []) {
    if (!origins.delete(origin))
      throw new UsageError(`${origin} is not an allowed origin. Allowed are: ${[...origins].join(", ")}.`);
  }
  for (const origin of added ?? []) origins.add(origin);
  return [...origins];
}

/** Warns because browsers use a passkey only on its domain, unless the domain names other origins (/.well-known/webauthn). */
function warnOfDomain(context: CommandContext, row: ApplicationsTable, publicUrl: string): void {
  const rpId = row.passkey_rp_id;
  const origins = [...fromColumns(row).origins, publicUrl];
  if (rpId === null || origins.some((origin) => isWithinDomain(origin, rpId))) return;
  context.warn(
    `Warning: no origin is on ${rpId}, so browsers refuse its passkeys, ` +
      `unless https://${rpId}/.well-known/webauthn names them.`,
  );
}

function printChanged(
  context: CommandContext,
  row: ApplicationsTable,
  tenant: Parameters<typeof applicationJson>[1],
): void {
  if (row.disabled_at !== null && tenant.default_application_id === row.id) {
    context.warn(
      "Warning: this is the default application of its tenant. Requests that name no application fail until you choose another.",
    );
  }
  if (context.flags.json) context.print(JSON.stringify(applicationJson(row, tenant)));
  else for (const line of applicationLines(row, tenant)) context.print(line);
}
