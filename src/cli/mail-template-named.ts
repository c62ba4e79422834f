import { languages } from "../mail/languages.ts";
import { isTemplateName } from "../mail/template-text.ts";
import { TEMPLATE_VALUES, type Template, type TemplateName } from "../mail/templates/template.ts";
import { argument, type CommandContext, CommandError, type CommandFlag, textFlag } from "./command.ts";

export const tenantFlag: CommandFlag = {
  type: "string",
  value: "SLUG",
  doc: "Tenant with the words and the sender (default: the tenant default).",
};

/** The flags of the commands about a single template. */
export const templateFlags: Readonly<Record<string, CommandFlag>> = {
  tenant: tenantFlag,
  language: { type: "string", value: "LANG", doc: `${Object.keys(languages).join(", ")} (default en).` },
};

/** Returns the template of the argument. @throws CommandError with the known names */
export function templateNamed(context: CommandContext): TemplateName {
  const name = argument(context, 0, "NAME");
  if (isTemplateName(name)) return name;
  throw new CommandError(
    `There is no template ${name}. The templates are: ${Object.keys(TEMPLATE_VALUES).join(", ")}.`,
  );
}

/** Returns the language of `--language`, if mails have built-in words in it. @throws CommandError with the known languages */
export function languageNamed(context: CommandContext): string {
  const language = textFlag(context, "language") ?? "en";
  if (Object.hasOwn(languages, language)) return language;
  throw new CommandError(`There is no language ${language}. The languages are: ${Object.keys(languages).join(", ")}.`);
}

/** Returns the built-in words, with which every tenant begins. */
export function builtIn(name: TemplateName, language: string): Template {
  const words = languages[language]?.templates[name];
  if (!words) throw new CommandError(`There is no template ${name} in ${language}.`);
  return words;
}
