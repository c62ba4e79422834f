import { toWireTime } from "../core/clock.ts";
import { languages } from "../mail/languages.ts";
import { listTemplates } from "../mail/store.ts";
import { isTemplateName, valuesOf } from "../mail/template-text.ts";
import { TEMPLATE_VALUES } from "../mail/templates/template.ts";
import { columns } from "./columns.ts";
import { type Command, configFlag, dataFlag, textFlag } from "./command.ts";
import { builtIn, tenantFlag } from "./mail-template-named.ts";
import { withIdentity } from "./open.ts";
import { tenantNamed } from "./reference.ts";

export const mailTemplateList: Command = {
  name: "mail template list",
  summary: "List the mails of a tenant in each language, and show which of them have its own words.",
  flags: {
    tenant: tenantFlag,
    data: dataFlag,
    config: configFlag,
    json: { type: "boolean", doc: 'One line of JSON: { "data": [...] }.' },
  },
  run: (context) =>
    withIdentity(context, async ({ storage }) => {
      const tenant = await tenantNamed(storage.read, textFlag(context, "tenant") ?? "default");
      const own = await listTemplates(storage.read, tenant.id);
      const rows = Object.keys(TEMPLATE_VALUES)
        .filter(isTemplateName)
        .flatMap((name) =>
          Object.keys(languages).map((language) => {
            const words = own.find((row) => row.name === name && row.language === language);
            return {
              name,
              language,
              is_own: words !== undefined,
              subject: (words ?? builtIn(name, language)).subject,
              values: valuesOf(name),
              updated_at: words ? toWireTime(words.updated_at) : null,
            };
          }),
        );
      if (context.flags.json) {
        context.print(JSON.stringify({ data: rows }));
        return 0;
      }
      const cells = rows.map((row) => [row.name, row.language, row.is_own ? "own" : "built in", row.subject]);
      for (const line of columns(["NAME", "LANGUAGE", "WORDS", "SUBJECT"], cells)) context.print(line);
      return 0;
    }),
};
