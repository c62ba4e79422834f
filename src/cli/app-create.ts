import { applicationChanges, applicationFlags } from "./application-flags.ts";
import { applicationJson, applicationLines } from "./application-view.ts";
import { type Command, configFlag, dataFlag, jsonFlag, textFlag, UsageError } from "./command.ts";
import { withIdentity } from "./open.ts";
import { applicationNamed, tenantNamed } from "./reference.ts";

export const appCreate: Command = {
  name: "app create",
  summary: "Create an application. Front ends send its id, and its tokens name it.",
  flags: {
    ...applicationFlags,
    tenant: { type: "string", value: "TENANT", doc: "Slug or id of its tenant (default: the default tenant)." },
    default: { type: "boolean", doc: "Make it the default of its tenant: requests that name no application use it." },
    "secret-key": { type: "boolean", doc: "Also create a secret key with scope admin, and show it once." },
    data: dataFlag,
    config: configFlag,
    json: jsonFlag,
  },
  examples: [
    "sallyport app create --name Shop --type spa --origin https://shop.example.com",
    "sallyport app create --name Reports --tenant acme --algorithm RS256 --secret-key",
  ],
  run: async (context) => {
    const { name, ...rest } = applicationChanges(context);
    if (name === undefined) throw new UsageError("An application needs --name.");
    return withIdentity(context, async ({ storage, clock, applications, apiKeys, keyring }) => {
      const slug = textFlag(context, "tenant") ?? "default";
      const owner = await tenantNamed(storage.read, slug);
      const made = await storage.write(async (tx) => {
        const row = await applications.create(tx, clock.now(), owner.id, { ...rest, name });
        if (context.flags.default) await applications.makeDefault(tx, clock.now(), row);
        const key = context.flags["secret-key"]
          ? await apiKeys.createSecret(tx, {
              tenantId: owner.id,
              applicationId: row.id,
              name: "First key",
              scopes: ["admin"],
            })
          : null;
        return { id: row.id, secretKey: key?.secret ?? null };
      });
      const row = await applicationNamed(storage.read, made.id);
      await keyring.signer(owner.id, row.algorithm);
      const tenant = await tenantNamed(storage.read, owner.id);
      if (context.flags.json) {
        context.print(JSON.stringify({ ...applicationJson(row, tenant), secret_key: made.secretKey }));
        return 0;
      }
      for (const line of applicationLines(row, tenant)) context.print(line);
      if (made.secretKey !== null) context.print(`\n  secret key, shown once: ${made.secretKey}`);
      return 0;
    });
  },
};
