import { argument, type Command, configFlag, dataFlag, jsonFlag, textFlag } from "./command.ts";
import { withIdentity } from "./open.ts";

export const tenantCreate: Command = {
  name: "tenant create",
  arguments: "SLUG",
  summary: "Create a closed pool of users with its own issuer, <public URL>/t/SLUG.",
  description:
    "SLUG has 1 to 63 lower-case letters, digits and hyphens. It never changes, because it is part of the issuer. The\n" +
    "tenant gets a default application, which signs RS256. A refresh by it takes five times the work of one by EdDSA:\n" +
    "`sallyport app set ID --algorithm EdDSA`, if the libraries of your backends verify EdDSA.",
  flags: {
    name: { type: "string", value: "NAME", doc: "The name that people see (default: the slug)." },
    "secret-key": { type: "boolean", doc: "Also create a secret key of its default application, and show it once." },
    data: dataFlag,
    config: configFlag,
    json: jsonFlag,
  },
  examples: ["sallyport tenant create acme --name 'Acme Inc.' --secret-key"],
  run: (context) =>
    withIdentity(context, async ({ storage, clock, applications, apiKeys, keyring, directory }, { settings }) => {
      const slug = argument(context, 0, "SLUG");
      const name = textFlag(context, "name") ?? slug;
      const made = await storage.write(async (tx) => {
        const { tenant, application } = await applications.createTenantWithDefault(tx, clock.now(), { slug, name });
        const key = context.flags["secret-key"]
          ? await apiKeys.createSecret(tx, {
              tenantId: tenant.id,
              applicationId: application.id,
              name: "First key",
              scopes: ["admin"],
            })
          : null;
        return { tenant, application, secretKey: key?.secret ?? null };
      });
      await keyring.signer(made.tenant.id, made.application.algorithm);
      // Without the public URL, this command cannot know the issuer.
      const issuer = settings.public_url === undefined ? null : directory.issuerOf(slug);
      if (context.flags.json) {
        const { tenant, application, secretKey } = made;
        const ids = { tenant_id: tenant.id, slug, name, issuer, default_application_id: application.id };
        context.print(JSON.stringify({ ...ids, secret_key: secretKey }));
        return 0;
      }
      context.print(`  tenant               ${made.tenant.id}`);
      context.print(`  issuer               ${issuer ?? `<public URL>/t/${slug}`}`);
      context.print(`  default application  ${made.application.id}`);
      if (made.secretKey !== null) context.print(`  secret key           ${made.secretKey}  (shown once)`);
      return 0;
    }),
};
