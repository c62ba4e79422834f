import { resetMailTemplate } from "../identity/tenants/mail-templates.ts";
import { type Command, CommandError, configFlag, dataFlag, jsonFlag, textFlag } from "./command.ts";
import { languageNamed, templateFlags, templateNamed } from "./mail-template-named.ts";
import { withIdentity } from "./open.ts";
import { tenantNamed } from "./reference.ts";

export const mailTemplateReset: Command = {
  name: "mail template reset",
  arguments: "NAME",
  summary: "Restore the built-in words of a mail.",
  flags: { ...templateFlags, data: dataFlag, config: configFlag, json: jsonFlag },
  run: (context) => {
    const name = templateNamed(context);
    const language = languageNamed(context);
    return withIdentity(context, async ({ storage, clock }) => {
      const tenant = await tenantNamed(storage.read, textFlag(context, "tenant") ?? "default");
      const at = { tenantId: tenant.id, name, language };
      if (!(await storage.write((tx) => resetMailTemplate(tx, clock.now(), at)))) {
        throw new CommandError(`${tenant.slug} has no words of its own for ${name} in ${language}.`);
      }
      if (context.flags.json)
        context.print(JSON.stringify({ name, language, tenant_slug: tenant.slug, is_own: false }));
      else context.print(`${name} in ${language} has its built-in words again.`);
      return 0;
    });
  },
};
