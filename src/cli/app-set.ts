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
  summary: "Change an application. A server that runs follows within seconds.",
  description:
    "What is not given stays. --origin and --audience replace the whole list; --add-origin and --remove-origin change it.\n" +
    "A disabled application takes no sign-in and no refresh, and its tokens are refused. After --algorithm, tokens of before\n" +
    "verify against <issuer>/oauth2/jwks only, until they expire.",
  flags: {
    ...applicationFlags,
    "add-origin": { type: "string", multiple: true, value: "ORIGIN", doc: "Allow one more origin." },
    "remove-origin": { type: "string", multiple: true, value: "ORIGIN", doc: "Allow this origin no longer." },
    disable: { type: "boolean", doc: "Switch it off." },
    enable: { type: "boolean", doc: "Switch it on again." },
    default: { type: "boolean", doc: "Make it its tenant's default: the one of requests that name none." },
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
    if (disable && enable) throw new UsageError("--disable and --enable exclude each other.");
    if (changes.origins && (added || removed)) {
      throw new UsageError(
        "--origin replaces the list that --add-origin and --remove-origin change: use one of the two.",
      );
    }
    if (Object.keys(changes).length === 0 && !disable && !enable && !isDefault && !added && !removed) {
      throw new UsageError("Nothing to change was given. `sallyport app set --help` lists what can be.");
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
      // Made here, so that the next sign-in does not wait for it.
      await keyring.signer(row.tenant_id, row.algorithm);
      warnOfDomain(context, row, directory.publicUrl);
      printChanged(context, row, await tenantNamed(storage.read, row.tenant_id));
      return 0;
    });
  },
};

/** @throws CommandError for an origin to remove that is not on the list */
function changedOrigins(row: ApplicationsTable, added?: string[], removed?: string[]): string[] | undefined {
  if (!added && !removed) return undefined;
  const origins = new Set(fromColumns(row).origins);
  for (const origin of removed ?? []) {
    if (!origins.delete(origin))
      throw new UsageError(`${origin} is not among the origins: ${[...origins].join(", ")}.`);
  }
  for (const origin of added ?? []) origins.add(origin);
  return [...origins];
}

/** Browsers let a page use a domain's passkeys when it is on that domain; others need its word (/.well-known/webauthn). */
function warnOfDomain(context: CommandContext, row: ApplicationsTable, publicUrl: string): void {
  const rpId = row.passkey_rp_id;
  const origins = [...fromColumns(row).origins, publicUrl];
  if (rpId === null || origins.some((origin) => isWithinDomain(origin, rpId))) return;
  context.warn(
    `Warning: none of the origins is on ${rpId}, so browsers refuse its passkeys there, ` +
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
      "Warning: this is its tenant's default application: requests that name none are refused until another is.",
    );
  }
  if (context.flags.json) context.print(JSON.stringify(applicationJson(row, tenant)));
  else for (const line of applicationLines(row, tenant)) context.print(line);
}
