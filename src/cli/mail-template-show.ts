import { inWordsOf, languages } from "../mail/languages.ts";
import { render } from "../mail/render.ts";
import { findTemplate } from "../mail/store.ts";
import { SAMPLE_VALUES, toText, valuesOf } from "../mail/template-text.ts";
import { type Command, configFlag, dataFlag, jsonFlag, textFlag, UsageError } from "./command.ts";
import { builtIn, languageNamed, templateFlags, templateNamed } from "./mail-template-named.ts";
import { withIdentity } from "./open.ts";
import { tenantNamed } from "./reference.ts";

export const mailTemplateShow: Command = {
  name: "mail template show",
  arguments: "NAME",
  summary: "Show the words of a mail, as `sallyport mail template set` takes them, or a preview of the mail.",
  description: "--preview fills in example values and prints the mail itself.",
  flags: {
    ...templateFlags,
    preview: { type: "string", value: "text|html", doc: "Show the mail with example values." },
    data: dataFlag,
    config: configFlag,
    json: jsonFlag,
  },
  examples: [
    "sallyport mail template show reset_password --language de > reset.txt",
    "sallyport mail template show reset_password --preview html > reset.html",
  ],
  run: (context) => {
    const name = templateNamed(context);
    const language = languageNamed(context);
    const preview = textFlag(context, "preview");
    if (preview !== undefined && preview !== "text" && preview !== "html") {
      throw new UsageError("--preview takes text or html.");
    }
    return withIdentity(context, async ({ storage }) => {
      const tenant = await tenantNamed(storage.read, textFlag(context, "tenant") ?? "default");
      const own = await findTemplate(storage.read, tenant.id, name, language);
      const words = own ?? builtIn(name, language);
      const known = languages[language];
      const sample = { ...SAMPLE_VALUES, tenant: tenant.name };
      const rendered = render(words, known ? inWordsOf(known, sample) : sample, language);
      if (context.flags.json) {
        const values = valuesOf(name);
        const { subject, body } = words;
        context.print(
          JSON.stringify({ name, language, is_own: own !== undefined, subject, body, values, preview: rendered }),
        );
      } else if (preview === "html") context.print(rendered.html.trimEnd());
      else if (preview === "text") context.print(`Subject: ${rendered.subject}\n\n${rendered.text.trimEnd()}`);
      else context.print(toText(words).trimEnd());
      return 0;
    });
  },
};
