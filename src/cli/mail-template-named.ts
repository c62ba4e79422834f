import { languages } from "../mail/languages.ts";
import { isTemplateName } from "../mail/template-text.ts";
import { TEMPLATE_VALUES, type Template, type TemplateName } from "../mail/templates/template.ts";
import { argument, type CommandContext, CommandError, type CommandFlag, textFlag } from "./command.ts";

export const tenantFlag: CommandFlag = {
  type: "string",
  value: "SLUG",
  doc: "Whose words and sender (default: the tenant default).",
};

/** What the commands about one template take. */
export const templateFlags: Readonly<Record<string, CommandFlag>> = {
  tenant: tenantFlag,
  language: { type: "string", value: "LANG", doc: `${Object.keys(languages).join(", ")} (default en).` },
};

/** The template that the argument names. @throws CommandError with those that are there */
export function templateNamed(context: CommandContext): TemplateName {
  const name = argument(context, 0, "NAME");
  if (isTemplateName(name)) return name;
  throw new CommandError(`There is no template ${name}. These are there: ${Object.keys(TEMPLATE_VALUES).join(", ")}.`);
}

/** The language of `--language`, and its built-in words. @throws CommandError with those that are there */
export function languageNamed(context: CommandContext): string {
  const language = textFlag(context, "language") ?? "en";
  if (Object.hasOwn(languages, language)) return language;
  throw new CommandError(`There is no language ${language}. These are there: ${Object.keys(languages).join(", ")}.`);
}

/** The words that every tenant begins with. */
export function builtIn(name: TemplateName, language: string): Template {
  const words = languages[language]?.templates[name];
  if (!words) throw new CommandError(`There is no template ${name} in ${language}.`);
  return words;
}
