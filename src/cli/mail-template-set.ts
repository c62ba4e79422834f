import { readFileSync } from "node:fs";
import { setMailTemplate } from "../identity/tenants/mail-templates.ts";
import { fromText, templateProblems } from "../mail/template-text.ts";
import type { Template } from "../mail/templates/template.ts";
import {
  argument,
  type Command,
  type CommandContext,
  CommandError,
  configFlag,
  dataFlag,
  jsonFlag,
  textFlag,
} from "./command.ts";
import { languageNamed, templateFlags, templateNamed } from "./mail-template-named.ts";
import { withIdentity } from "./open.ts";
import { tenantNamed } from "./reference.ts";

export const mailTemplateSet: Command = {
  name: "mail template set",
  arguments: "NAME FILE",
  summary: "Set the words of a mail for one tenant and one language. They apply to mails written from now on.",
  description:
    "FILE, or - for standard input, begins with a line `Subject: …`, an empty line and the body: paragraphs with an empty\n" +
    "line between them. {{name}} stands for a value. The paragraph [words]({{link}}) becomes a button, and the paragraph\n" +
    "{{code}} becomes large. A line with an empty value is omitted. `sallyport mail template show NAME` prints the current words.",
  flags: { ...templateFlags, data: dataFlag, config: configFlag, json: jsonFlag },
  examples: ["sallyport mail template set reset_password reset.txt --tenant acme --language de"],
  run: (context) => {
    const name = templateNamed(context);
    const language = languageNamed(context);
    return withIdentity(context, async ({ storage, clock }) => {
      const tenant = await tenantNamed(storage.read, textFlag(context, "tenant") ?? "default");
      const words = await readTemplate(argument(context, 1, "FILE"));
      const problems = templateProblems(name, words);
      if (problems.length > 0) throw new CommandError(problems.join(" "));
      await storage.write((tx) => setMailTemplate(tx, clock.now(), { tenantId: tenant.id, name, language }, words));
      printSet(context, { name, language, tenant: tenant.slug });
      return 0;
    });
  },
};

async function readTemplate(file: string): Promise<Template> {
  const words = fromText(file === "-" ? await Bun.stdin.text() : readText(file));
  if (words) return words;
  throw new CommandError("The first line must be `Subject: …`; the body follows after an empty line.");
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new CommandError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

function printSet(context: CommandContext, set: { name: string; language: string; tenant: string }): void {
  if (context.flags.json) {
    context.print(JSON.stringify({ name: set.name, language: set.language, tenant_slug: set.tenant, is_own: true }));
    return;
  }
  const { name, language, tenant } = set;
  context.print(`${name} in ${language} now has the words of ${tenant}. To see the mail:`);
  context.print(`  sallyport mail template show ${name} --tenant ${tenant} --language ${language} --preview text`);
}
