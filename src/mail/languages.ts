import { german } from "./templates/de.ts";
import { english } from "./templates/en.ts";
import type { Language } from "./templates/template.ts";

/** The languages of mails. Each has its own file. */
export const languages: Readonly<Record<string, Language>> = { en: english, de: german };

/**
 * Returns the language of a mail: the reader's first known choice (RFC 9110 section 12.5.4), else the tenant's language.
 * @param wished the value of Accept-Language
 */
export function languageFor(wished: string | null, fallback: string): string {
  const wishes = (wished ?? "")
    .slice(0, 200)
    .split(",")
    .map((range) => {
      const [tag = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
      const q = parameters.find((parameter) => parameter.startsWith("q="));
      return { language: tag.split("-")[0] ?? "", weight: q === undefined ? 1 : Number(q.slice(2)) || 0 };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  const first = wishes.find(({ language }) => Object.hasOwn(languages, language));
  if (first) return first.language;
  return Object.hasOwn(languages, fallback) ? fallback : "en";
}

/** Translates the values for which the language has words. */
export function inWordsOf(language: Language, values: Readonly<Record<string, string>>): Record<string, string> {
  const said: Record<string, string> = { ...values };
  const factors: Readonly<Record<string, string>> = language.factors;
  const word = (factor: string) => (Object.hasOwn(factors, factor) ? (factors[factor] ?? factor) : factor);
  if (said.factor) said.factor = word(said.factor);
  if (said.removed) said.removed = said.removed.split(",").map(word).join(", ");
  if (said.device) said.device = language.device(said.device);
  return said;
}
